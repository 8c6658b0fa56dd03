/** `sync.conflicts`: what waits for the application, and its decisions. */
import { EntiDBError } from '@entidb/core'
import { entityKey } from '../entity-ref.ts'
import { LiveList } from '../live-list.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { answerOf, typeOf } from './ask-resolver.ts'
import { conflictIdsOf, parseConflictId } from './conflict-id.ts'
import type { OpenConflict, Resolution } from './conflict-types.ts'
import { type GroupView, type MemberView, pairOf, sidesDigest, viewGroup } from './group-view.ts'
import { answerForAll, settleGroup } from './settle-group.ts'
import { settleOneConflict } from './settle-one-conflict.ts'
import { openConflicts } from './sides.ts'
import { viewHeldGroups } from './view-held-groups.ts'

/** Times a decision is tried again because an edit was just being committed. */
const TRIES_MAX = 20

/** The conflicts that nobody has settled: `sync.conflicts`. */
export class ConflictDesk {
  readonly #store: () => Promise<SyncStore>
  readonly #onChange: (listener: () => void) => () => void
  readonly #decided: () => void
  /** Of listed conflicts: names both sides of each member of the group. */
  readonly #identities = new WeakMap<OpenConflict, string>()

  /** @internal `decided` is called after a decision: there is something to push. */
  constructor(
    store: () => Promise<SyncStore>,
    onChange: (listener: () => void) => () => void,
    decided: () => void,
  ) {
    this.#store = store
    this.#onChange = onChange
    this.#decided = decided
  }

  /**
   * Every open conflict, oldest first. One that a push found is there once the pull has come to its remote side, and
   * to those of its group.
   */
  async list(): Promise<readonly OpenConflict[]> {
    const views = await viewHeldGroups(await this.#store())
    const found = new Map<string, OpenConflict>()
    for (const view of views) {
      const sides = sidesDigest(view)
      for (const conflict of openConflicts(view)) {
        this.#identities.set(conflict, `${conflict.id} ${sides}`)
        found.set(conflict.id, conflict)
      }
    }
    return [...found.values()].sort((a, b) => a.since - b.since)
  }

  /** `list`, kept right while conflicts, and their groups, change. Close it when it is not needed any more. */
  live(): LiveList<OpenConflict> {
    const identityOf = (conflict: OpenConflict): string =>
      this.#identities.get(conflict) ?? conflict.id
    return new LiveList(() => this.list(), this.#onChange, identityOf)
  }

  /**
   * Settles one conflict: durable when it resolves, pushed by the next cycle. `takeRemote` drops the edits
   * of the whole group; with `keepLocal` and `merge` the group is pushed again once none of its
   * conflicts is open any more.
   *
   * Errors: `conflict_changed` when either side moved since `id` was listed, or `takeRemote` would drop an edit that the
   * group did not have then (`details.id` is the conflict as it is now, undefined when none is listed any more); what
   * `put` throws for a merged entity.
   */
  async resolve(id: string, resolution: Resolution): Promise<void> {
    if (typeOf(resolution) === 'defer') return
    const store = await this.#store()
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      await store.followFeed()
      if (await store.transaction((tx) => decide(tx, store, id, resolution))) {
        this.#decided()
        return
      }
    }
    throw changed(id, undefined)
  }
}

/** False when the view may miss an edit that was just committed. */
async function decide(
  tx: SyncTransaction,
  store: SyncStore,
  id: string,
  resolution: Resolution,
): Promise<boolean> {
  const parts = parseConflictId(id)
  const group = parts && tx.findNote(entityKey(parts.ref))?.group
  if (parts === undefined || group == null) throw changed(id, undefined)
  const view = await viewGroup(tx, group, store.edits)
  if (view.isBehind) return false
  const member = view.members.get(entityKey(parts.ref))
  const pair = member && pairOf(member)
  if (!view.isReceived || member === undefined || pair === undefined) throw changed(id, undefined)
  const present = (): string => conflictIdsOf(view)(pair)
  const isSame = typeOf(resolution) === 'takeRemote' ? present() === id : pair === parts.pair
  if (!isSame) throw changed(id, present())
  await carryOut(tx, view, member, resolution)
  return true
}

async function carryOut(
  tx: SyncTransaction,
  view: GroupView,
  member: MemberView,
  resolution: Resolution,
): Promise<void> {
  const answer = answerOf(resolution, member.ref.entityId)
  if (answer.type === 'takeRemote') {
    await settleGroup(tx, view, answerForAll(view, answer), 'takeRemote', 'application')
    return
  }
  const others = [...view.members.values()].some(
    (each) => each !== member && each.conflict !== null,
  )
  if (others) await settleOneConflict(tx, view, member, answer)
  else {
    const answers = new Map([[entityKey(member.ref), answer]])
    await settleGroup(tx, view, answers, answer.type, 'application')
  }
}

function changed(id: string, present: string | undefined): EntiDBError {
  return new EntiDBError(
    'conflict_changed',
    present === undefined
      ? 'This conflict is settled, or what the server has now is yet to be received'
      : 'A side of this conflict, or an edit of its group, moved since you looked: decide on what it is now',
    { details: { was: id, id: present } },
  )
}
