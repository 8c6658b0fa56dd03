/**
 * The entities of a collection whose index entries are of their stored form, because no migration brought
 * them up: their ids, in a table of their own. Ids of entities that are of the present version, or gone, may be
 * left in it; opening removes them.
 */
import type { Reader, WriteTransaction } from '../store/key-value-store.ts'
import { keysOf } from './scan.ts'
import { type Steps, wait } from './steps.ts'

const NOTHING = new Uint8Array(0)

export function unmigratedTable(collection: string): string {
  return `u:${collection}`
}

export function* rememberUnmigrated(
  tx: Pick<WriteTransaction, 'put'>,
  collection: string,
  idKey: Uint8Array,
): Steps<void> {
  yield* wait(tx.put(unmigratedTable(collection), idKey, NOTHING))
}

/** An entity of an older version was indexed: as migrated, or as it is stored. */
export function* noteMigrated(
  tx: Pick<WriteTransaction, 'put' | 'delete'>,
  collection: string,
  idKey: Uint8Array,
  isMigrated: boolean,
): Steps<void> {
  if (isMigrated) yield* wait(tx.delete(unmigratedTable(collection), idKey))
  else yield* rememberUnmigrated(tx, collection, idKey)
}

export function* isUnmigrated(
  view: Pick<Reader, 'get'>,
  collection: string,
  idKey: Uint8Array,
): Steps<boolean> {
  return (yield* wait(view.get(unmigratedTable(collection), idKey))) !== undefined
}

/** Few: all at once. */
export function* readUnmigrated(view: Reader, collection: string): Steps<readonly Uint8Array[]> {
  const table = unmigratedTable(collection)
  // Nearly always: without a cursor.
  if ((yield* wait(view.count(table))) === 0) return []
  return yield* keysOf(view.scan(table, {}))
}
