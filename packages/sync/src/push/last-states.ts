/**
 * What of a local transaction is sent: of each entity its last state in it. Nobody else ever sees one that the same
 * transaction wrote over, also where it goes in parts, and these are not in the same one.
 */
import { entityKey } from '../entity-ref.ts'
import type { DraftRow } from './batch-draft.ts'
import type { FeedTransaction } from './feed-transactions.ts'

/** An operation of an entity that has local edits. */
export interface PendingRow extends DraftRow {
  /** OpId of the entity's newest edit, of whatever transaction. */
  readonly newestOpId: number
}

/** Which of the entities, given with the opId of a write, the same transaction writes again after that. */
export type WrittenAgain = (
  transactionId: number,
  writes: ReadonlyMap<string, number>,
) => Promise<ReadonlySet<string>>

export async function lastStates(
  { transactionId, complete }: Pick<FeedTransaction, 'transactionId' | 'complete'>,
  rows: readonly PendingRow[],
  writtenAgain: WrittenAgain,
): Promise<readonly PendingRow[]> {
  if (complete && rows.length < 2) return rows
  const last = new Map(rows.map((each) => [entityKey(each.row), each]))
  // The rest of a transaction of any size is not looked at for entities that nothing wrote since.
  const newer = [...last].filter(([, { row, newestOpId }]) => newestOpId > row.opId)
  if (!complete && newer.length > 0) {
    const writes = new Map(newer.map(([key, { row }]) => [key, row.opId]))
    for (const key of await writtenAgain(transactionId, writes)) last.delete(key)
  }
  if (last.size === rows.length) return rows
  return rows.filter((each) => last.get(entityKey(each.row)) === each)
}
