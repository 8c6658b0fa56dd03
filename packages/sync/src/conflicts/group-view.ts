/**
 * A held group as it is at one moment: its members, everything that local transactions not yet taken tie
 * to them, and both sides of each. What is decided is decided on a view, and only if it still holds.
 */
import { assertInvariant } from '@entidb/core'
import type { ReplicaState } from '@entidb/core/replication'
import { sha256 } from '@entidb/protocol'
import { type EntityRef, entityKey, entityRef } from '../entity-ref.ts'
import { epochNameAt } from '../handshake/history.ts'
import type { LocalEdits, PendingTransaction } from '../push/local-edits.ts'
import type { ConflictNote, NoteRow, RemoteState, StateRow } from '../state/rows.ts'
import type { EntityOf, SyncTransaction } from '../state/sync-transaction.ts'

/** With the bytes of the remote side. */
export interface OpenConflictNote extends ConflictNote {
  readonly remote: RemoteState
}

export interface MemberView {
  readonly ref: EntityRef
  readonly state: ReplicaState
  readonly conflict: OpenConflictNote | null
  /** Of the revision of the conflict's remote side. */
  readonly epochName: string
  readonly note: NoteRow
  /** The last state both sides had in common is not known. */
  readonly stale: boolean
  /** The newest that was received together with what was written with it: where the entity returns to. */
  readonly received: RemoteState
  readonly entityOf: EntityOf
}

export interface GroupView {
  /** More than one when transactions that were not taken yet tie groups together. */
  readonly groups: ReadonlySet<number>
  /** Those with a local edit, by key. */
  readonly members: ReadonlyMap<string, MemberView>
  /** Members whose edit is settled: nothing to decide. */
  readonly settled: readonly EntityRef[]
  /** Local transactions that were not taken yet. */
  readonly transactions: readonly PendingTransaction[]
  /** An edit is newer than what was read of the change feed: the view may miss a member. */
  readonly isBehind: boolean
  /**
   * The pull has come to every remote side. One that a push found before that is a part of some transaction of
   * another device: whoever was shown it, or given it, would see that transaction torn.
   */
  readonly isReceived: boolean
}

export async function viewGroup(
  tx: SyncTransaction,
  group: number,
  edits: LocalEdits,
): Promise<GroupView> {
  const { groups, entities, transactions } = reach(tx, group, edits)
  const members = new Map<string, MemberView>()
  const settled: EntityRef[] = []
  const { entityOf } = tx
  const keys = [...entities].sort()
  const refs = keys.map(entityRef)
  const states = await tx.replica.states(refs)
  for (const [index, key] of keys.entries()) {
    // As many refs and states as keys.
    const ref = refs[index] as EntityRef
    const state = states[index] as ReplicaState
    if (!state.pending) settled.push(ref)
    else {
      const note = tx.note(ref)
      const remote = await tx.remoteOf(note)
      const conflict = note.conflict && remote && { ...note.conflict, remote }
      const stale = (conflict?.stale ?? false) || edits.isStale(key)
      const received = conflict !== null && isReceived(tx, conflict) ? conflict.remote : state.base
      const epochName =
        conflict === null ? '' : epochNameAt(tx.state.history, conflict.remote.version)
      members.set(key, { ref, state, note, conflict, epochName, stale, received, entityOf })
    }
  }
  const found = [...members.values()]
  return {
    ...{ groups, members, settled, transactions },
    isBehind: found.some(({ state }) => state.opId > edits.readThrough),
    isReceived: found.every(({ conflict }) => conflict === null || isReceived(tx, conflict)),
  }
}

/** The same group at a later moment. */
export function viewAgain(
  tx: SyncTransaction,
  { groups }: GroupView,
  edits: LocalEdits,
): Promise<GroupView> {
  // The group that was viewed is the first of those that are tied together.
  const [group] = groups
  assertInvariant(group !== undefined, 'a view is of some group')
  return viewGroup(tx, group, edits)
}

function isReceived({ state }: SyncTransaction, { remote }: ConflictNote): boolean {
  return remote.version <= state.receivedThrough
}

function reach(
  tx: SyncTransaction,
  group: number,
  edits: LocalEdits,
): {
  readonly groups: ReadonlySet<number>
  readonly entities: ReadonlySet<string>
  readonly transactions: readonly PendingTransaction[]
} {
  const groups = new Set([group])
  for (;;) {
    const noted = [...groups].flatMap((each) => tx.notesOfGroup(each)).map(({ id }) => id)
    const rest = restOfSplit(tx.state, groups)
    const { entities, transactions } = edits.componentOf(noted, rest)
    const before = groups.size
    for (const key of entities) {
      const found = tx.findNote(key)?.group ?? null
      if (found !== null) groups.add(found)
    }
    if (groups.size > before) continue
    // It is decided about with its group also when nothing is left of the rest.
    const split = rest === null ? undefined : edits.pendingTransaction(rest)
    const isThere = transactions.some(({ transactionId }) => transactionId === rest)
    const all = split === undefined || isThere ? transactions : [...transactions, split]
    return { groups, entities, transactions: all }
  }
}

/** The transaction of which a part is held in one of `groups`, and the rest not sent yet: the rest is no new edit. */
export function restOfSplit({ split }: StateRow, groups: ReadonlySet<number>): number | null {
  return split !== null && groups.has(split.group ?? -1) ? split.transactionId : null
}

/** Names the pair of states in conflict. Undefined without a conflict. */
export function pairOf(member: MemberView): string | undefined {
  return member.conflict === null ? undefined : sidesOf(member)
}

const DIGEST_BYTES = 8

/** Names the local edits of the whole group: what would be given up with it. */
export function editsDigest({ members }: GroupView): string {
  return digestOf([...members].map(([key, { state }]) => `${state.opId}:${key}`).join('\n'))
}

/** Names members, local sides and remote sides. */
export function sidesDigest(view: GroupView): string {
  return digestOf(fingerprint(view))
}

function digestOf(text: string): string {
  const digest = sha256(new TextEncoder().encode(text)).subarray(0, DIGEST_BYTES)
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Equal exactly when members, local sides and remote sides are. */
export function fingerprint({ members }: GroupView): string {
  return [...members.values()].map(sidesOf).join('\n')
}

function sidesOf({ ref, state, conflict, epochName }: MemberView): string {
  const epoch = epochName === '' ? '' : `.${epochName}`
  const remote = conflict === null ? '-' : `${conflict.remote.version}${epoch}`
  return `${state.opId}:${remote}:${entityKey(ref)}`
}
