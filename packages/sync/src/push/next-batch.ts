/**
 * The batch after the one that is under way. While the server decides, taking it is rehearsed: read, put together,
 * encoded, and undone. If nothing has changed by the time that it is taken, only the result is stored.
 */
import type { SyncContext } from '../cycle/sync-context.ts'
import { entityKey } from '../entity-ref.ts'
import type { FrozenOp, FrozenRow, StateRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { FeedWindow } from './feed-window.ts'
import { encodeFrozenOps } from './frozen-request.ts'
import type { WrittenAgain } from './last-states.ts'
import { type TakenBatch, takeBatch } from './take-batch.ts'

interface Rehearsed {
  readonly taken: TakenBatch
  readonly frozen: FrozenRow
  readonly state: StateRow
}

export class NextBatch {
  readonly #context: SyncContext
  readonly #window: FeedWindow
  #rehearsed: (Rehearsed & { readonly atCommit: number }) | undefined
  #encoded: { readonly of: readonly FrozenOp[]; readonly ops: readonly Uint8Array[] } | undefined

  constructor(context: SyncContext) {
    this.#context = context
    this.#window = new FeedWindow(context.store.engine)
  }

  /** Takes it, in the transaction that is under way. */
  async take(tx: SyncTransaction): Promise<TakenBatch> {
    const rehearsed = this.#rehearsed
    this.#rehearsed = undefined
    if (rehearsed?.atCommit !== this.#context.store.commits) return this.#takeNow(tx)
    const { feedPosition, looseRanges, batchLast, frozenOpIdMax } = rehearsed.state
    tx.setState({ feedPosition, looseRanges, batchLast, frozenOpIdMax })
    tx.setFrozen(rehearsed.frozen)
    return rehearsed.taken
  }

  /** Of a frozen batch, if it was encoded before. */
  encodedOps(ops: readonly FrozenOp[]): readonly Uint8Array[] | undefined {
    return this.#encoded?.of === ops ? this.#encoded.ops : undefined
  }

  async rehearse(): Promise<void> {
    const { store, turn } = this.#context
    // The request goes first.
    await turn()
    try {
      const atCommit = store.commits
      const rehearsed = await store.rehearse((tx) => this.#rehearse(tx))
      if (rehearsed === undefined) return
      this.#rehearsed = { ...rehearsed, atCommit }
      const { ops, deviceId } = rehearsed.frozen
      const { contents } = rehearsed.taken
      const encoded = encodeFrozenOps(store.state.dbId, deviceId, ops, contents)
      this.#encoded = { of: ops, ops: encoded }
    } catch {
      // Whatever it is, taking the batch meets it again.
    }
  }

  /** Lets go of what was read. */
  clear(): void {
    this.#window.clear()
    this.#rehearsed = undefined
    this.#encoded = undefined
  }

  #takeNow(tx: SyncTransaction): Promise<TakenBatch> {
    const { limits, now, store, turn } = this.#context
    const writtenAgain: WrittenAgain = (...writes) => store.writtenAgain(...writes)
    return takeBatch(tx, this.#window, { limits, nowMs: now(), writtenAgain, turn })
  }

  /**
   * Undefined for a batch that has to be taken when its time has come: taking it does more than freezing it, or it
   * rests on the answer that is under way. Local commits change nothing: an entity stays pending, on the same state,
   * until sync itself says otherwise.
   */
  async #rehearse(tx: SyncTransaction): Promise<Rehearsed | undefined> {
    const before = tx.state
    const underWay = tx.frozen
    if (before.split !== null) return undefined
    const taken = await this.#takeNow(tx)
    const { frozen, state } = tx
    if (frozen === null || frozen === underWay || !isPlain(taken, before, tx)) return undefined
    const isApart = frozen.ops.every((op) => !this.#context.store.isInFlight(entityKey(op)))
    return isApart ? { taken, frozen, state } : undefined
  }
}

function isPlain(
  taken: TakenBatch,
  before: StateRow,
  { state, changedNotes }: SyncTransaction,
): boolean {
  return (
    taken.heldGroups.size === 0 &&
    taken.splitTransactionId === null &&
    changedNotes.size === 0 &&
    state.split === null &&
    state.ledger === before.ledger
  )
}
