/**
 * Pulls page by page up to the head. The next page is asked for while one is being applied, and counts
 * only if it still fits when its turn comes.
 */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import type { PullResponse } from '@entidb/protocol'
import {
  type CycleTotals,
  learnContext,
  noteTouched,
  type SyncContext,
} from '../cycle/sync-context.ts'
import type { ResyncReason } from '../events.ts'
import { applyPage, type PullOrigin, snapshotAfter } from './apply-page.ts'
import { PageSize } from './page-size.ts'
import { PullPatience } from './patience.ts'
import { beginResync, forgetStep, sweepStep } from './resync.ts'
import { assertFits, snapshotToAskFor } from './snapshot-place.ts'

/** Times a page may turn out not to fit any more before the cycle gives up for now. */
const MISFITS_MAX = 20

export class Puller {
  readonly #context: SyncContext
  readonly #pageSize = new PageSize()
  readonly #patience = new PullPatience()

  constructor(context: SyncContext) {
    this.#context = context
  }

  async pullAll(totals: CycleTotals, signal: AbortSignal): Promise<void> {
    const { store } = this.#context
    await this.#beginAgainIfNeeded()
    for (let misfits = 0; misfits < MISFITS_MAX; misfits++) {
      this.#measure()
      if (!(await this.#pullPages(totals, signal))) continue
      await this.#endResync(signal)
      if (store.state.forgottenThrough < store.state.purgedThrough) await this.#forget(signal)
      return
    }
  }

  /** Answers to `cursor_expired`: begins a re-sync. */
  async resync(): Promise<void> {
    await this.#beginResync('cursor_expired')
  }

  /** A pull from 0 by a device that knows revisions is a re-sync, unless they are those of a snapshot under way. */
  async #beginAgainIfNeeded(): Promise<void> {
    const { cursor, revisionMax, resync, snapshot = null } = this.#context.store.state
    if (cursor !== 0 || revisionMax === 0 || resync !== null || snapshot !== null) return
    await this.#beginResync('known_revisions')
  }

  async #beginResync(reason: ResyncReason): Promise<void> {
    const { store, emitter } = this.#context
    await store.transaction(async (tx) => beginResync(tx, reason))
    emitter.emit('resync', { phase: 'began', reason })
  }

  /** False when a page did not fit any more: everything is asked for again from the present state. */
  async #pullPages(totals: CycleTotals, outer: AbortSignal): Promise<boolean> {
    const { store } = this.#context
    if ((store.state.resync?.phase ?? 'pulling') !== 'pulling') return true
    const ahead = new AbortController()
    const abort = (): void => ahead.abort(outer.reason)
    outer.addEventListener('abort', abort)
    try {
      let origin: PullOrigin = store.state
      let next = this.#request(origin, outer)
      for (;;) {
        const page = await next
        if (isSnapshotRefused(page, origin)) {
          // What it has sent is no longer carried on: a pull by cursor cannot tell what was deleted since.
          await this.#beginResync('known_revisions')
          return false
        }
        const following = {
          ...pullOrigin(origin),
          cursor: page.nextCursor,
          snapshot: snapshotAfter(page, origin),
        }
        if (page.hasMore) next = this.#request(following, ahead.signal)
        next.catch(() => {}) // looked at in its turn, or not at all
        // The server works on it while the page is applied, which does not let the host do anything.
        if (page.hasMore) await this.#context.turn()
        if (!(await this.#apply(page, origin, totals))) return false
        if (!page.hasMore) return true
        origin = following
      }
    } finally {
      outer.removeEventListener('abort', abort)
      ahead.abort()
    }
  }

  async #request(origin: PullOrigin, signal: AbortSignal): Promise<PullResponse> {
    const { store, transport, replicaId, limits } = this.#context
    const { dbId } = store.state
    const snapshot = snapshotToAskFor(origin, store.state)
    const limit = this.#pageSize.next(snapshot)
    const asked = transport.pull(
      {
        dbId,
        sinceCursor: origin.cursor,
        deviceId: origin.deviceId,
        replicaId,
        ...(origin.epoch === null ? {} : { epoch: origin.epoch }),
        ...(snapshot === undefined ? {} : { snapshot }),
        ...(limit === undefined ? {} : { limit }),
      },
      signal,
    )
    const page = await asked.catch((error) => {
      if (isEntiDBError(error, 'server_unreachable')) this.#pageSize.failed()
      throw error
    })
    this.#pageSize.came(limits.maxPullOps)
    assertFits(page, origin.cursor, { dbId, snapshot })
    return page
  }

  async #apply(page: PullResponse, origin: PullOrigin, totals: CycleTotals): Promise<boolean> {
    const { store, progress, turn, limits } = this.#context
    const context = { ...learnContext(this.#context), turn }
    noteTouched(this.#context, page.ops)
    const outcome = await store
      .applying((tx) => applyPage(tx, page, origin, context))
      .catch((error) => {
        throw unstorable(error) ?? error
      })
    if (outcome === undefined) return false
    this.#context.head = page.hasMore
      ? Math.max(this.#context.head, page.head ?? 0)
      : page.nextCursor
    totals.pulled += outcome.pulled
    totals.conflicts += outcome.conflicts
    progress.pulled(page, store.state, this.#knownHead())
    this.#patience.look({
      // Pages of a snapshot may bring again what is known, without end.
      broughtSomething: page.snapshot === undefined ? page.ops.length > 0 : outcome.pulled > 0,
      hasMore: page.hasMore,
      cursors: page.nextCursor - origin.cursor,
      maxPullOps: limits.maxPullOps,
    })
    return true
  }

  #measure(): void {
    const { store, progress, serverEntities, limits } = this.#context
    progress.beginPull(store.state, {
      head: this.#knownHead(),
      entities: serverEntities,
      pageOpsMax: limits.maxPullOps,
    })
  }

  #knownHead(): number {
    const { head, following } = this.#context
    return Math.max(head, following?.head ?? 0)
  }

  async #endResync(signal: AbortSignal): Promise<void> {
    const { store, emitter } = this.#context
    const { resync } = store.state
    if (resync === null) return
    const context = learnContext(this.#context)
    while (!(await store.transaction((tx) => sweepStep(tx, context)))) signal.throwIfAborted()
    emitter.emit('resync', { phase: 'ended', reason: resync.reason })
  }

  async #forget(signal: AbortSignal): Promise<void> {
    const progress = { after: undefined }
    while (!(await this.#context.store.transaction((tx) => forgetStep(tx, progress)))) {
      signal.throwIfAborted()
    }
  }
}

function pullOrigin({ cursor, epoch, generation, deviceId, snapshot }: PullOrigin): PullOrigin {
  return { cursor, epoch, generation, deviceId, snapshot: snapshot ?? null }
}

/** The server knows nothing of snapshots any more, or this token may not have one. */
function isSnapshotRefused(page: PullResponse, { snapshot = null }: PullOrigin): boolean {
  return snapshot !== null && page.snapshot === undefined
}

/** The database refuses bytes that are no entity, or another one: the server's mistake. */
function unstorable(cause: unknown): EntiDBError | undefined {
  if (!isEntiDBError(cause, 'invalid_entity') && !isEntiDBError(cause, 'invalid_cbor')) {
    return undefined
  }
  return new EntiDBError('invalid_response', 'The server sent bytes that are not this entity', {
    cause,
    retry: 'later',
  })
}
