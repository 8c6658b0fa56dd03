/**
 * The batch after the one that is under way: what it is made of is read while the server decides, so that freezing it
 * takes no longer than it must. Nothing is decided here before the batch is taken.
 */
import type { SyncContext } from '../cycle/sync-context.ts'
import { entityKey } from '../entity-ref.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { FeedWindow } from './feed-window.ts'
import { type PendingStates, readPendingStates } from './pending-states.ts'
import { batchOpsMax, type TakenBatch, takeBatch } from './take-batch.ts'

export class NextBatch {
  readonly #context: SyncContext
  readonly #window: FeedWindow
  #known: { readonly atCommit: number; readonly states: PendingStates } | undefined

  constructor(context: SyncContext) {
    this.#context = context
    this.#window = new FeedWindow(context.store.engine)
  }

  /** Takes it, in the transaction that is under way. */
  take(tx: SyncTransaction): Promise<TakenBatch> {
    const { store, limits, now } = this.#context
    const known = this.#known?.atCommit === store.commits ? this.#known.states : undefined
    return takeBatch(tx, this.#window, { limits, nowMs: now(), known })
  }

  /**
   * Reads what follows the frozen batch. Local commits do not make it untrue: an entity stays pending, on the same
   * state, until sync itself says otherwise.
   */
  async lookAhead(): Promise<void> {
    const { store, turn } = this.#context
    // The request goes first.
    await turn()
    try {
      const atCommit = store.commits
      const states = await store.read((tx) => this.#readStates(tx, store))
      this.#known = { atCommit, states }
    } catch {
      // Whatever it is, taking the batch meets it again.
    }
  }

  /** Lets go of what was read. */
  clear(): void {
    this.#window.clear()
    this.#known = undefined
  }

  async #readStates(tx: SyncTransaction, store: SyncStore): Promise<PendingStates> {
    const opsMax = batchOpsMax(this.#context.limits)
    const rows = (await this.#window.read(tx.state.feedPosition, opsMax)).slice(0, opsMax)
    // The answer under way settles the others.
    const untouched = rows.filter(
      (row) => row.origin === 'local' && !store.isInFlight(entityKey(row)),
    )
    return readPendingStates(tx, untouched)
  }
}
