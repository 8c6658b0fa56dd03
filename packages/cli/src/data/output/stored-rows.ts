/** The stored bytes of the answers to a query, one after the other: memory holds a few of them. */
import type { AnyEntity, CollectionReader, OrderBy, RawEntity, Where } from '@entidb/core'
import { readEntityId } from '@entidb/core/cbor'

export interface RowQuery {
  readonly where?: Where<AnyEntity>
  readonly orderBy?: OrderBy<AnyEntity>
  readonly limit?: number
}

/** An entity has at most 16 MiB. */
const ENTITIES_AT_ONCE = 32

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
  for (;;) {
    const range = { limit: ENTITIES_AT_ONCE, ...(after === undefined ? {} : { after }) }
    const rows = await reader.nextRaw(range)
    yield* rows
    const last = rows.at(-1)
    if (last === undefined) return
    after = readEntityId(last.bytes)
  }
}
