/** `sync.rejections`: edits that the server refused. */
import { EntiDBError } from '@entidb/core'
import { entityKey } from '../entity-ref.ts'
import type { SyncStore } from '../state/sync-store.ts'
import { viewGroup } from './group-view.ts'
import { entityOfRejectionId, type Rejection } from './rejection.ts'
import { answerForAll, settleGroup } from './settle-group.ts'
import { rejectionOf } from './sides.ts'
import { viewHeldGroups } from './view-held-groups.ts'

const TRIES_MAX = 20

/** The groups that the server refused: `sync.rejections`. */
export class RejectionDesk {
  readonly #store: () => Promise<SyncStore>
  readonly #discarded: () => void

  /** @internal `discarded` is called after it: there may be something to pull. */
  constructor(store: () => Promise<SyncStore>, discarded: () => void) {
    this.#store = store
    this.#discarded = discarded
  }

  /** Every rejected group, oldest first. Edit one of its entities to send the whole group again. */
  async list(): Promise<readonly Rejection[]> {
    const views = await viewHeldGroups(await this.#store())
    const found = new Map<string, Rejection>()
    for (const rejection of views.flatMap((view) => rejectionOf(view) ?? [])) {
      found.set(rejection.id, rejection)
    }
    return [...found.values()].sort((a, b) => a.since - b.since)
  }

  /**
   * Drops the local edits of the whole group: each of its entities returns to the server's state, as far as it was
   * received. Resolves to false when the entity that `id` is of is not rejected any more.
   *
   * Error: `rejection_changed` when the group has other edits than those that `id` was listed with; nothing is dropped
   * (`details.id` is the rejection as it is now).
   */
  async discard(id: string): Promise<boolean> {
    const store = await this.#store()
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      await store.followFeed()
      const done = await store.transaction(async (tx) => {
        const ref = entityOfRejectionId(id)
        const group = ref === undefined ? null : (tx.findNote(entityKey(ref))?.group ?? null)
        if (group === null) return false
        const view = await viewGroup(tx, group, store.edits)
        if (view.isBehind) return undefined
        const present = rejectionOf(view)?.id
        if (present === undefined) return false
        if (present !== id) throw changed(id, present)
        const answers = answerForAll(view, { type: 'takeRemote' })
        await settleGroup(tx, view, answers, 'discarded', 'application')
        return true
      })
      if (done === true) this.#discarded()
      if (done !== undefined) return done
    }
    throw changed(id, undefined)
  }
}

function changed(id: string, present: string | undefined): EntiDBError {
  return new EntiDBError(
    'rejection_changed',
    'What was refused has other edits since you looked: decide on what it is now',
    { details: { was: id, id: present } },
  )
}
