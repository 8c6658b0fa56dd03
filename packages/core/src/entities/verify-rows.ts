/** What a database stores beside its entities: replication state, the change feed, what it knows of itself. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { idOfKey } from './entity-id.ts'
import { decodeFeedRow, FEED_TABLE, opIdOfKey } from './feed-row.ts'
import { META_TABLE } from './meta.ts'
import { decodeReplicaRow } from './replica-row.ts'
import { roleOfTable } from './table-role.ts'
import { type StoredEntry, scanTable, type VerifyContext } from './verify-scan.ts'

/** Answers how many rows were looked at. */
export async function verifyRows(context: VerifyContext, table: string): Promise<number> {
  const { kind, collection } = roleOfTable(table)
  const assertSound = ASSERTIONS.get(kind === 'replica' ? kind : table)
  if (assertSound === undefined) return 0
  let rows = 0
  await scanTable(context, table, (entries) => {
    rows += entries.length
    for (const entry of entries) {
      const wrong = wrongWith(entry, assertSound)
      if (wrong === undefined) continue
      const where = collection === undefined ? {} : { collection, id: idOfKey(entry.key) }
      const message = `a row of ${table} cannot be read: ${wrong}`
      context.problems.add({ code: 'invalid_record', ...where, message })
    }
  })
  return rows
}

/** Each throws what is wrong. */
const ASSERTIONS: ReadonlyMap<string, (entry: StoredEntry) => void> = new Map([
  ['replica', assertReplicaRow],
  [FEED_TABLE, assertFeedRow],
  [META_TABLE, ({ value }: StoredEntry) => void decodeEntity(value)],
])

function assertReplicaRow({ value }: StoredEntry): void {
  const { kind, state } = decodeReplicaRow(value)
  // `kind` was looked up by a number that may have been any.
  if ((kind as string | undefined) === undefined) throw new Error('it is of no known kind')
  if (state.bytes !== null) decodeEntity(state.bytes)
}

function assertFeedRow({ key, value }: StoredEntry): void {
  if (key.length !== 8) throw new Error('its key is no opId')
  const { payload } = decodeFeedRow(opIdOfKey(key), value)
  if (payload !== null) decodeEntity(payload)
}

function wrongWith(
  entry: StoredEntry,
  assertSound: (entry: StoredEntry) => void,
): string | undefined {
  try {
    assertSound(entry)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
