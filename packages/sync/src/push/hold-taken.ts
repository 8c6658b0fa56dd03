/** A transaction that was taken from the feed joins a held group instead of a batch. */
import type { Limits } from '@entidb/protocol'
import { joinGroup } from '../conflicts/groups.ts'
import { isBaseLost, learnRemote } from '../conflicts/learn-remote.ts'
import { entityKey } from '../entity-ref.ts'
import { findEvicted } from '../evict/evicted-rows.ts'
import { heldPart, joinParts } from '../ledger/committed-part.ts'
import type { FeedRow } from '../state/engine.ts'
import type { SplitRow, WrittenEntities } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { FeedTransaction } from './feed-transactions.ts'
import { type Refusal, refusalOf } from './refusal.ts'

export interface HoldReasons {
  /** The group that the rest of it is held in. */
  readonly rest: number | null
  readonly stale: readonly FeedRow[]
  readonly refused: readonly { readonly row: FeedRow; readonly reason: Refusal }[]
}

/** Undefined: none. `last` are those of `rows` that would be sent. */
export async function reasonsToHold(
  tx: SyncTransaction,
  rows: readonly FeedRow[],
  last: readonly FeedRow[],
  split: SplitRow | undefined,
  limits: Limits,
): Promise<HoldReasons | undefined> {
  const rest = split?.group ?? null
  const held = tx.hasNotes && rows.some((row) => tx.findNote(entityKey(row))?.group != null)
  const stale = await staleRows(tx, rows)
  const refused = last.flatMap((row) => {
    const reason = refusalOf(row, limits)
    return reason === undefined ? [] : [{ row, reason }]
  })
  const isSent = rest === null && !held && stale.length === 0 && refused.length === 0
  return isSent ? undefined : { rest, stale, refused }
}

/** Rows of one transaction. */
interface HeldRows {
  readonly all: readonly FeedRow[]
  /** Of each entity the last one. */
  readonly last: readonly FeedRow[]
}

export interface HeldTaken {
  readonly group: number
  /** Edits made on what had been replaced by the server's. */
  readonly conflicts: number
  /** Operations that no server accepts, and those that stand or fall with them. */
  readonly rejected: number
}

export async function holdTaken(
  tx: SyncTransaction,
  { transactionId, lastOpId, complete }: FeedTransaction,
  { all, last }: HeldRows,
  { rest, stale, refused }: HoldReasons,
  split: SplitRow | undefined,
  nowMs: number,
): Promise<HeldTaken> {
  const group = await joinGroup(tx, all, rest)
  // The rest of a transaction of which a part was refused is no edit since.
  if (all.length > 0 && rest === null) sendRejectedAgain(tx, group)
  let conflicts = 0
  for (const row of stale) if (await noteStale(tx, row, nowMs)) conflicts++
  for (const { row, reason } of refused) {
    tx.changeNote(row, { rejection: { ...reason, sinceMs: nowMs, unknown: false } })
  }
  const part = joinParts(split?.before, heldPart(last))
  if (complete) {
    const code = refused[0]?.reason.code ?? (rest === null ? null : rejectionOf(tx, group))
    await noteFate(tx, lastOpId, part.written, group, code)
  } else {
    // Its last part names it.
    tx.setState({ split: { transactionId, group, before: part } })
  }
  return { group, conflicts, rejected: refused.length > 0 ? all.length : 0 }
}

/** Made on what is not stored any more. What was evicted is no news: the server says what it has. */
async function staleRows(
  tx: SyncTransaction,
  rows: readonly FeedRow[],
): Promise<readonly FeedRow[]> {
  const stale: FeedRow[] = []
  for (const row of rows) {
    if (row.staleBase && (await findEvicted(tx, row)) === undefined) stale.push(row)
  }
  return stale
}

/** An edit of a rejected group: with nothing else against it, the whole group is sent again. */
function sendRejectedAgain(tx: SyncTransaction, group: number): void {
  for (const note of tx.rejectedOfGroup(group)) tx.changeNote(note, { rejection: null })
}

/** The code that explains a rejected group; null when it is not rejected. */
function rejectionOf(tx: SyncTransaction, group: number): string | null {
  const codes = tx.rejectedOfGroup(group).flatMap(({ rejection }) => rejection?.code ?? [])
  return codes.find((code) => code !== 'group') ?? codes[0] ?? null
}

/** Edited on a state that the device had replaced: as if the stored one had come just now. Answers whether that is a conflict. */
async function noteStale(tx: SyncTransaction, row: FeedRow, nowMs: number): Promise<boolean> {
  const state = await tx.replica.state(row.collection, row.entityId)
  const note = tx.note(row)
  const known = await tx.remoteOf(note)
  const remote = known ?? state.base
  if (isBaseLost(note, state)) {
    // What the server has may be what that was made on: the edit was not.
    tx.changeNote(row, { ancestorThrough: -1 })
    // That nothing is here either says nothing about the server: the delete is offered to it.
    if (known === null && state.bytes === null) return false
  }
  const since = { sinceMs: note.conflict?.sinceMs ?? nowMs, deferred: null }
  tx.changeNote(row, { conflict: { ...since, remote, stale: true } })
  const reaction = { nowMs, present: true, onViolation: () => {} }
  return (await learnRemote(tx, row, remote, reaction)) === 'conflict'
}

async function noteFate(
  tx: SyncTransaction,
  key: number,
  written: WrittenEntities,
  group: number,
  code: string | null,
): Promise<void> {
  await tx.putFate(key, {
    group,
    fate: code === null ? 'open' : 'rejected',
    how: code,
    decidedBy: null,
    successor: null,
    entityVersions: null,
    written,
  })
}
