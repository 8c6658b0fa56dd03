/**
 * Decides a push: pure, from what the server holds. Every operation is committed, in conflict or
 * rejected, and the operations of a group share one fate:
 *
 * 1. A rejected operation takes its group with it, those that would change nothing too.
 * 2. In a group with a stale operation the others conflict as well, but those that would change
 *    nothing are committed all the same: nothing is lost by it.
 * 3. Otherwise the group is accepted.
 *
 * Repeated operations were decided before and take no part.
 */
import type { SyncOperation } from '@entidb/protocol'
import type { Refusal } from './policy.ts'

/** What an entity is now, but for its bytes: small operations may replace a gigabyte of them. */
export interface CurrentRevision {
  /** Of a tombstone too. */
  readonly entityVersion: number
  /** Length of them; 0 for a tombstone. */
  readonly bytes: number
  /** What it adds to the digest of its collection, if an operation on this revision would take that away. */
  readonly digest: Uint8Array | undefined
}

/** An operation that is new to the server, with what its entity is now. */
export interface Candidate {
  readonly operation: SyncOperation
  readonly contentHash: Uint8Array
  /** Undefined: never seen, or purged. */
  readonly current: CurrentRevision | undefined
  /** The same bytes of the same schema version, or a delete of what is deleted or absent. */
  readonly changesNothing: boolean
  readonly refusal: Refusal | undefined
}

export type Decision =
  /** Gets the next cursor. */
  | { readonly kind: 'accepted'; readonly candidate: Candidate; readonly group: Group }
  | { readonly kind: 'noop'; readonly candidate: Candidate; readonly revision: number }
  | {
      readonly kind: 'conflict'
      readonly candidate: Candidate
      readonly reason: 'stale' | 'group'
    }
  | { readonly kind: 'rejected'; readonly candidate: Candidate; readonly refusal: Refusal }

/** Operations that stand or fall together, in opId order. */
export interface Group {
  /** Whether the client named it: an operation without `tx` is alone. */
  readonly named: boolean
  readonly candidates: readonly Candidate[]
}

const GROUP_REFUSAL: Refusal = {
  code: 'group',
  message: 'Another operation of the same group was rejected',
}

/** `floor`: the device's operations below it may have been decided and forgotten, and cannot be accepted. */
export function decidePush(candidates: readonly Candidate[], floor: number): Decision[] {
  return groupsOf(candidates).flatMap((group) => decideGroup(group, floor))
}

/** In the order of their first operations. */
function groupsOf(candidates: readonly Candidate[]): Group[] {
  const groups: { named: boolean; candidates: Candidate[] }[] = []
  const membersByTx = new Map<number, Candidate[]>()
  for (const candidate of candidates) {
    const { tx } = candidate.operation
    const members = tx === undefined ? undefined : membersByTx.get(tx)
    if (members !== undefined) {
      members.push(candidate)
      continue
    }
    const group = { named: tx !== undefined, candidates: [candidate] }
    groups.push(group)
    if (tx !== undefined) membersByTx.set(tx, group.candidates)
  }
  return groups
}

function decideGroup(group: Group, floor: number): Decision[] {
  const { candidates } = group
  if (candidates.some(({ refusal }) => refusal !== undefined)) {
    return candidates.map((candidate) => ({
      kind: 'rejected',
      candidate,
      refusal: candidate.refusal ?? GROUP_REFUSAL,
    }))
  }
  const isStale = (candidate: Candidate): boolean =>
    !candidate.changesNothing && !isAcceptable(candidate, floor)
  const blocked = candidates.some(isStale)
  return candidates.map((candidate) => {
    if (candidate.changesNothing) {
      return { kind: 'noop', candidate, revision: revisionOf(candidate) }
    }
    if (!blocked) return { kind: 'accepted', candidate, group }
    return { kind: 'conflict', candidate, reason: isStale(candidate) ? 'stale' : 'group' }
  })
}

function isAcceptable(candidate: Candidate, floor: number): boolean {
  const { operation } = candidate
  return operation.opId >= floor && operation.entityVersion === revisionOf(candidate)
}

function revisionOf({ current }: Candidate): number {
  return current?.entityVersion ?? 0
}
