/**
 * The rows of evicted entities. A row says: this device has seen the server's state up to this revision,
 * and dropped it. It is there only while nothing of the entity is stored, or a local edit of it has not met the
 * server's state yet: an edit that is given up before leaves the entity evicted.
 */
import { entityDigest } from '@entidb/protocol'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import { EVICTED_COLLECTION, type EvictedRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

const PAGE_ROWS = 500

export async function rememberEvicted(
  tx: SyncTransaction,
  { collection, entityId }: EntityRef,
  version: number,
  bytes: Uint8Array,
): Promise<void> {
  const id = entityKey({ collection, entityId })
  const digest = entityDigest(collection, entityId, version, bytes)
  const row: EvictedRow = { id, collection, entityId, version, digest }
  await tx.system.put(EVICTED_COLLECTION, row)
  tx.setState({ evicted: tx.state.evicted + 1 })
}

export async function findEvicted(
  tx: SyncTransaction,
  ref: EntityRef,
): Promise<EvictedRow | undefined> {
  if (tx.state.evicted === 0) return undefined
  // As `rememberEvicted` wrote it.
  return (await tx.system.get(EVICTED_COLLECTION, entityKey(ref))) as EvictedRow | undefined
}

/** Nothing is known of the entity any more but what is stored. */
export async function forgetEvicted(tx: SyncTransaction, ref: EntityRef): Promise<void> {
  if ((await findEvicted(tx, ref)) === undefined) return
  await tx.system.delete(EVICTED_COLLECTION, entityKey(ref))
  tx.setState({ evicted: tx.state.evicted - 1 })
}

/** The next rows in order of keys. */
export async function evictedAfter(
  tx: SyncTransaction,
  after: EntityRef | null,
  rowsMax: number,
): Promise<readonly EvictedRow[]> {
  if (tx.state.evicted === 0) return []
  const range = { limit: rowsMax, ...(after === null ? {} : { after: entityKey(after) }) }
  // As `rememberEvicted` wrote them.
  return (await tx.system.page(EVICTED_COLLECTION, range)) as readonly EvictedRow[]
}

/** Whether an operation brings anything newer than what was evicted. Then it brings its entity back. */
export async function bringsNews(
  tx: SyncTransaction,
  op: EntityRef & { readonly entityVersion: number },
): Promise<boolean> {
  const row = await findEvicted(tx, op)
  if (row !== undefined && op.entityVersion <= row.version) return false
  if (row !== undefined) await forgetEvicted(tx, op)
  return true
}

/** Rows beyond the point where histories part are of no state that the server must have. Returns how many. */
export async function forgetEvictedBeyond(tx: SyncTransaction, point: number): Promise<number> {
  let forgotten = 0
  for (let after: EntityRef | null = null; ; ) {
    const rows: readonly EvictedRow[] = await evictedAfter(tx, after, PAGE_ROWS)
    for (const row of rows) {
      if (row.version <= point) continue
      await forgetEvicted(tx, row)
      forgotten += 1
    }
    const last = rows.at(-1)
    if (last === undefined) return forgotten
    after = last
  }
}
