/**
 * Collections whose index entries may be wrong, because an entity was replaced whose entries nobody could tell:
 * of an older version, in a collection that was not defined. They are made anew when it is defined again.
 */
import type { WriteTransaction } from '../store/key-value-store.ts'
import { deleteMeta, REINDEX_PREFIX, readMeta, writeMeta } from './meta.ts'
import type { Steps } from './steps.ts'

export function* orderReindexing(tx: WriteTransaction, collection: string): Steps<void> {
  yield* writeMeta(tx, REINDEX_PREFIX + collection, true)
}

/** Whether it was ordered; it is not any more. */
export function* takeReindexing(tx: WriteTransaction, collection: string): Steps<boolean> {
  if ((yield* readMeta(tx, REINDEX_PREFIX + collection)) === undefined) return false
  yield* deleteMeta(tx, REINDEX_PREFIX + collection)
  return true
}
