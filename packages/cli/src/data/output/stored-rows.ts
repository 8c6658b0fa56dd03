/** The stored bytes of the answers to a query, one after the other: memory holds a few of them. */
import type { AnyEntity, CollectionReader, OrderBy, RawEntity, Where } from '@entidb/core'
import { readEntityId } from '@entidb/core/cbor'

/** Which entities, in which order. */
export interface RowQuery {
  readonly where?: Where<AnyEntity>
  readonly orderBy?: OrderBy<AnyEntity>
  readonly limit?: number
}

const ENTITIES_AT_ONCE = 256
/** About: so many entities are asked for at once as had not more than this last time. */
const BYTES_AT_ONCE = 1024 * 1024

/**
 * All from one state, when `reader` is of a snapshot. By id unless the query says otherwise. Error:
 * `invalid_query`.
 */
export async function* storedRows(
  reader: CollectionReader,
  query: RowQuery,
): AsyncGenerator<RawEntity, void, undefined> {
  if (Object.keys(query).length === 0) return yield* allRows(reader)
  for await (const { id } of reader.scan(query)) {
    const row = await reader.getRaw(id)
    if (row !== undefined) yield row
  }
}

async function* allRows(reader: CollectionReader): AsyncGenerator<RawEntity, void, undefined> {
  let after: string | undefined
  for (let limit = 1; ; ) {
    const rows = await reader.nextRaw({ limit, ...(after === undefined ? {} : { after }) })
    yield* rows
    const last = rows.at(-1)
    if (last === undefined) return
    after = readEntityId(last.bytes)
    const bytes = rows.reduce((sum, row) => sum + row.bytes.length, 0)
    if (bytes > BYTES_AT_ONCE) limit = Math.max(1, limit >> 1)
    else if (bytes * 2 < BYTES_AT_ONCE) limit = Math.min(limit * 2, ENTITIES_AT_ONCE)
  }
}
