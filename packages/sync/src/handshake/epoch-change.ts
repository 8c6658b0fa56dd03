/**
 * The server runs under another history than the one this device knows. One transaction: what lies
 * beyond the point where they part may be lost over there, so it is offered again; nothing that stands
 * on it counts as known any more.
 */
import type { HistoryEntry } from '@entidb/protocol'
import { isBaseLost } from '../conflicts/learn-remote.ts'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import { holdBack } from '../push/undecided.ts'
import { withLooseRange } from '../state/loose-ranges.ts'
import { ABSENT } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

const SCAN_ENTRIES = 1_000

export interface EpochChange {
  readonly point: number
  readonly epoch: Uint8Array
  readonly history: readonly HistoryEntry[]
  /** Deletes up to here may be forgotten by the server. */
  readonly purgedThrough: number
}

/** Returns the number of entities and deletes that are offered again. */
export async function changeEpoch(tx: SyncTransaction, change: EpochChange): Promise<number> {
  const { point, epoch, history } = change
  const beyond = await statesBeyond(tx, point)
  const touched: number[] = []
  lowerAncestors(tx, point)
  for (const { ref, pending } of beyond) {
    if (!pending) touched.push((await tx.replica.touch(ref.collection, ref.entityId)).opId)
    await tx.replica.rebase(ref.collection, ref.entityId, ABSENT)
    tx.changeNote(ref, { ancestorThrough: ancestorsOf(point) })
  }
  await dropConflictsBeyond(tx, point)
  await rebaseFrozen(tx, change)
  // A form that is open now may be saved later.
  if (tx.state.revisionMax > point) await tx.replica.partAt(point)
  const { state } = tx
  tx.setState({
    epoch,
    history,
    cursor: Math.min(state.cursor, point),
    receivedThrough: Math.min(state.receivedThrough, point),
    revisionMax: Math.min(state.revisionMax, point),
    purgedThrough: Math.min(state.purgedThrough, point),
    forgottenThrough: Math.min(state.forgottenThrough, point),
    generation: state.generation + 1,
    looseRanges: loosened(tx, touched),
  })
  return touched.length
}

/** What lies beyond the point is no ancestor any more: another state may have its number. */
function lowerAncestors(tx: SyncTransaction, point: number): void {
  for (const note of tx.allNotes()) {
    if (note.ancestorThrough > point) tx.changeNote(note, { ancestorThrough: ancestorsOf(point) })
  }
}

/** Also where the histories have nothing in common it is noted that the base is lost. */
function ancestorsOf(point: number): number {
  return point === 0 ? -1 : point
}

async function statesBeyond(
  tx: SyncTransaction,
  point: number,
): Promise<readonly { readonly ref: EntityRef; readonly pending: boolean }[]> {
  const beyond: { ref: EntityRef; pending: boolean }[] = []
  if (tx.state.revisionMax <= point) return beyond
  let after: EntityRef | undefined
  for (;;) {
    const entries = await tx.replica.scan({
      ...(after === undefined ? {} : { after }),
      entriesMax: SCAN_ENTRIES,
    })
    for (const { collection, entityId, version, pending } of entries) {
      if (version > point) beyond.push({ ref: { collection, entityId }, pending })
    }
    after = entries.at(-1)
    if (after === undefined) return beyond
  }
}

function loosened(
  tx: SyncTransaction,
  touched: readonly number[],
): readonly (readonly [number, number])[] {
  const [first] = touched
  const last = touched.at(-1)
  return first === undefined || last === undefined
    ? tx.state.looseRanges
    : withLooseRange(tx.state.looseRanges, first, last)
}

/**
 * A remote side beyond the point is no state of this history; its group is looked at again. What was saved late has not
 * seen what was stored then either: it competes with that, or, if that is lost, with whatever the server has.
 */
async function dropConflictsBeyond(tx: SyncTransaction, point: number): Promise<void> {
  for (const note of tx.allNotes()) {
    const { conflict } = note
    if (conflict === null || conflict.remote.version <= point) continue
    const state = await tx.replica.state(note.collection, note.entityId)
    if (!conflict.stale) tx.changeNote(note, { conflict: null })
    else if (isBaseLost(note, state)) tx.changeNote(note, { conflict: null, ancestorThrough: -1 })
    else tx.changeNote(note, { conflict: { ...conflict, remote: state.base, deferred: null } })
  }
}

/**
 * The same operations under the same opIds; their bases are those of their entities. Not where the server may have deleted
 * since what they were made on, and have forgotten it: it would take them for new ones.
 */
async function rebaseFrozen(
  tx: SyncTransaction,
  { point, purgedThrough }: EpochChange,
): Promise<void> {
  const { frozen } = tx
  if (frozen === null) return
  const fallen = frozen.ops.filter(({ base }) => base > point)
  for (const op of fallen) tx.changeNote(op, { ancestorThrough: ancestorsOf(point) })
  const ops = frozen.ops.map((op) => (op.base > point ? { ...op, base: 0 } : op))
  tx.setFrozen({ ...frozen, ops })
  if (purgedThrough <= point) return
  const lostBefore = frozen.ops.filter((op) => op.base === 0 && isLostSince(tx, op, point))
  const groups = new Set([...fallen, ...lostBefore].map(({ group }) => group))
  // Not accepted before the point, where their bases did not exist; the next pull tells what they compete with.
  await holdBack(
    tx,
    ops.filter(({ group }) => groups.has(group)),
  )
}

/** Its base was lost at an earlier change, and all that the server can have accepted since then lies beyond the point. */
function isLostSince(tx: SyncTransaction, ref: EntityRef, point: number): boolean {
  const ancestorThrough = tx.findNote(entityKey(ref))?.ancestorThrough ?? 0
  return ancestorThrough !== 0 && point <= Math.max(0, ancestorThrough)
}
