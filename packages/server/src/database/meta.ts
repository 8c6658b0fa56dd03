/** Head, epoch and history of one database. */
import { assertInvariant, EntiDBError } from '@entidb/core'
import { EPOCH_STRIDE, type HistoryEntry } from '@entidb/protocol'
import {
  type MetaRow,
  type ServerReader,
  type ServerTransaction,
  sortableNumber,
} from './collections.ts'

/** Random bytes for epochs. */
export type RandomBytes = (count: number) => Uint8Array

const EPOCH_BYTES = 16

export async function readMeta(reader: ServerReader): Promise<MetaRow> {
  const meta = await reader.collection('meta').get('database')
  assertInvariant(meta !== undefined, 'an open server database has its meta row')
  return meta
}

/** Oldest first; the last entry is the current epoch. */
export async function readHistory(reader: ServerReader): Promise<HistoryEntry[]> {
  const rows = await reader.collection('epochs').find({})
  return rows.map(({ epoch, firstCursor }) => ({ epoch, firstCursor }))
}

/**
 * Begins a new epoch, also the first of a new database. The head is raised to the next greater multiple of the
 * stride, so that a revision that was handed out and lost with a restored file is never used again.
 */
export async function beginEpoch(
  tx: ServerTransaction,
  dbId: string,
  randomBytes: RandomBytes,
): Promise<MetaRow> {
  const before = await tx.collection('meta').get('database')
  const oldHead = before?.head ?? 0
  const head = (Math.floor(oldHead / EPOCH_STRIDE) + 1) * EPOCH_STRIDE
  if (!Number.isSafeInteger(head)) {
    throw new EntiDBError('unavailable', 'The database has used up its cursors')
  }
  const firstCursor = oldHead + 1
  const epoch = randomBytes(EPOCH_BYTES)
  const meta: MetaRow = {
    id: 'database',
    dbId,
    head,
    epoch,
    ...(before === undefined
      ? { purgedThrough: 0, compactedThrough: 0, superseded: 0 }
      : clearingOf(before)),
  }
  await tx.collection('epochs').put({ id: sortableNumber(firstCursor), epoch, firstCursor })
  await tx.collection('meta').put(meta)
  return meta
}

/** What an epoch does not change. */
function clearingOf({ id, dbId, head, epoch, ...clearing }: MetaRow): typeof clearing {
  return clearing
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
