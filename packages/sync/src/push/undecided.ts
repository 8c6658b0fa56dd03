/** What becomes of a frozen batch when the server gives no verdict on its operations. */
import { EntiDBError } from '@entidb/core'
import { joinGroup } from '../conflicts/groups.ts'
import type { FrozenOp, FrozenRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { contentOf, countGroups, type FrozenContents } from './frozen-request.ts'
import { holdTransactions, noteDropped } from './hold-transactions.ts'

export interface Refusal {
  readonly code: string
  readonly message: string
  /** The server may have committed them all the same. */
  readonly unknown: boolean
}

/** Sends at most half as many groups per request from now on. False when one group was sent alone. */
export function halveRequests(
  tx: SyncTransaction,
  frozen: FrozenRow,
  sent: readonly FrozenOp[],
): boolean {
  const groups = countGroups(sent)
  if (groups <= 1) return false
  tx.setFrozen({ ...frozen, groupsMax: Math.ceil(groups / 2) })
  return true
}

/** Sets operations of the frozen batch aside as rejected, so that everything else goes on. */
export async function holdAsRejected(
  tx: SyncTransaction,
  frozen: FrozenRow,
  sent: readonly FrozenOp[],
  contents: FrozenContents,
  refusal: Refusal,
  nowMs: number,
): Promise<ReadonlySet<number>> {
  const opIds = new Set(sent.map(({ opId }) => opId))
  // As they are now: the application may have given one up since it was sent.
  const ops = frozen.ops.filter(({ opId }) => opIds.has(opId))
  const { held, groups } = await hold(tx, ops)
  for (const op of held) {
    const { code, message, unknown } = refusal
    tx.changeNote(op, { rejection: { code, message, sinceMs: nowMs, unknown } })
    if (unknown) {
      const { payloadCbor: bytes, schemaVersion } = contentOf(contents, op)
      const { opId, localOpId } = op
      const { deviceId } = frozen
      const sent = { accepted: false, deviceId, opId, localOpId, bytes, schemaVersion }
      tx.changeNote(op, { sent })
    }
  }
  const codes = new Map([...groups.keys()].map((group) => [group, refusal.code]))
  await holdTransactions(tx, frozen, groups, codes)
  const dropped = groupsBut(ops, groups)
  const known = refusal.unknown ? [] : [...dropped]
  await noteDropped(tx, frozen, dropped, new Map(known.map((group) => [group, refusal.code])))
  takeOut(tx, frozen, ops)
  return new Set(groups.values())
}

/**
 * Takes whole groups out of the frozen batch, of which the server cannot have accepted anything: they are held until the
 * next pull has shown what they compete with, if anything.
 */
export async function holdBack(tx: SyncTransaction, ops: readonly FrozenOp[]): Promise<void> {
  const { frozen } = tx
  if (frozen === null || ops.length === 0) return
  const { groups } = await hold(tx, ops)
  await holdTransactions(tx, frozen, groups, new Map())
  await noteDropped(tx, frozen, groupsBut(ops, groups), new Map())
  takeOut(tx, frozen, ops)
}

/** Groups of which nothing is left to hold. */
function groupsBut(
  ops: readonly FrozenOp[],
  held: ReadonlyMap<number, number>,
): ReadonlySet<number> {
  return new Set(ops.map(({ group }) => group).filter((group) => !held.has(group)))
}

/** Those of which an edit is left, and the held groups that their groups became. */
async function hold(
  tx: SyncTransaction,
  ops: readonly FrozenOp[],
): Promise<{ readonly held: readonly FrozenOp[]; readonly groups: ReadonlyMap<number, number> }> {
  const held: FrozenOp[] = []
  const groups = new Map<number, number>()
  for (const op of ops) {
    const { pending } = await tx.replica.state(op.collection, op.entityId)
    if (!pending || op.givenUp === true) continue
    held.push(op)
    groups.set(op.group, await joinGroup(tx, [op], groups.get(op.group) ?? null))
  }
  return { held, groups }
}

function takeOut(tx: SyncTransaction, frozen: FrozenRow, ops: readonly FrozenOp[]): void {
  const gone = new Set(ops.map(({ opId }) => opId))
  const rest = frozen.ops.filter(({ opId }) => !gone.has(opId))
  const groups = new Set(rest.map(({ group }) => group))
  const transactions = frozen.transactions.filter(({ group }) => groups.has(group))
  tx.setFrozen(rest.length === 0 ? null : { ...frozen, ops: rest, transactions })
}

/** No device has used so many: believed, there would soon be no number left for an edit. */
const OP_ID_MAX = 2 ** 52

/** Error: `invalid_response` for what the server cannot have seen. */
export function assertOpIdsLeft(serverOpIdMax: number): void {
  if (Number.isSafeInteger(serverOpIdMax) && serverOpIdMax <= OP_ID_MAX) return
  throw new EntiDBError('invalid_response', `The server names operation ${serverOpIdMax}`, {
    retry: 'later',
  })
}

/**
 * The server knows opIds of this device that this file did not use: it was restored or copied. Every
 * undecided operation, frozen or not, moves above them. Bases stay.
 */
export function renumber(tx: SyncTransaction, serverOpIdMax: number): void {
  assertOpIdsLeft(serverOpIdMax)
  const { state, frozen } = tx
  const lowest = frozen?.ops[0]?.localOpId ?? state.feedPosition + 1
  const opIdOffset = Math.max(state.opIdOffset + 1, serverOpIdMax + 1 - lowest)
  const ops = frozen?.ops.map((op) => ({ ...op, opId: op.localOpId + opIdOffset })) ?? []
  if (frozen !== null) tx.setFrozen({ ...frozen, ops })
  const frozenOpIdMax = Math.max(state.frozenOpIdMax, ops.at(-1)?.opId ?? 0)
  tx.setState({ opIdOffset, frozenOpIdMax })
}

/**
 * Goes on as another device: undecided operations get opIds that neither name has used, and what is
 * frozen is sent under the new name. `nameGivenUp` is not taken up again for being configured.
 */
export function renumberForDevice(
  tx: SyncTransaction,
  deviceId: string,
  nameGivenUp: string | null,
): void {
  const { frozenOpIdMax } = tx.state
  // Answers to the old name fit no more; a re-sync under way goes on with what it has seen.
  tx.setState({ deviceId, nameGivenUp })
  renumber(tx, frozenOpIdMax)
  if (tx.frozen !== null) tx.setFrozen({ ...tx.frozen, deviceId, batch: tx.state.batchLast + 1 })
  tx.setState({ batchLast: tx.state.batchLast + 1 })
}
