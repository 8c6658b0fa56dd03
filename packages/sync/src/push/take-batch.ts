/**
 * Takes the next local transactions from the change feed: into a batch that is frozen, or into a held
 * group. One transaction; what it took is never taken again.
 */
import type { Limits } from '@entidb/protocol'
import { entityKey } from '../entity-ref.ts'
import { heldPart, joinParts } from '../ledger/committed-part.ts'
import { recordCommitted } from '../ledger/record-committed.ts'
import type { FeedRow } from '../state/engine.ts'
import { looseRangesAfter } from '../state/loose-ranges.ts'
import type { CommittedPart, CommittedTransaction, SplitRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { BatchDraft, type BatchLimits } from './batch-draft.ts'
import { type FeedTransaction, feedTransactions } from './feed-transactions.ts'
import type { FeedWindow } from './feed-window.ts'
import { holdTaken, reasonsToHold } from './hold-taken.ts'
import { lastStates, type PendingRow, type WrittenAgain } from './last-states.ts'

export interface TakeOptions {
  readonly limits: Limits
  readonly nowMs: number
  readonly writtenAgain: WrittenAgain
  /** Lets everything else on the thread have its turn. */
  readonly turn: () => Promise<void>
}

export interface TakenBatch {
  /** The feed holds nothing more to take for now. */
  readonly atEnd: boolean
  /** What comes next waits: the revision that an entity's last edit was accepted as is yet to be pulled. */
  readonly waits: boolean
  /** Contents of the frozen operations, by local opId. */
  readonly contents: ReadonlyMap<number, FeedRow>
  /** Groups that came to be held. */
  readonly heldGroups: ReadonlySet<number>
  /** Edits made on what had been replaced by the server's. */
  readonly conflicts: number
  /** Operations that no server accepts, and those that stand or fall with them. */
  readonly rejected: number
  /** The transaction of which this batch is a part, if it is. */
  readonly splitTransactionId: number | null
}

/** Most operations in a batch, whatever the server allows. */
const BATCH_OPS_MAX = 5_000
/** Most feed operations looked at in one transaction. */
const READ_OPS_PER_TAKE = 20_000
/** Operations that are held without a pause: a few milliseconds. */
const HELD_OPS_PER_SLICE = 200

export async function takeBatch(
  tx: SyncTransaction,
  window: FeedWindow,
  options: TakeOptions,
): Promise<TakenBatch> {
  return new BatchTaking(tx, window, options).run()
}

function batchLimits({ maxOpsPerPush, maxBodyBytes }: Limits): BatchLimits {
  return { opsMax: Math.min(maxOpsPerPush, BATCH_OPS_MAX), bytesMax: maxBodyBytes }
}

class BatchTaking {
  readonly #tx: SyncTransaction
  readonly #window: FeedWindow
  readonly #options: TakeOptions
  #draft: BatchDraft
  readonly #feedAfter: number
  readonly #heldGroups = new Set<number>()
  /** Transactions whose entities the server has as they are here. */
  readonly #converged: CommittedTransaction[] = []
  #position: number
  /** A transaction that the draft has the beginning of may be as long as any, whatever came before it. */
  #countedFrom: number
  /** The transaction that the draft has the beginning, or the next part, of. */
  #splitPart: number | null = null
  #waits = false
  #conflicts = 0
  #rejected = 0
  #heldSincePause = 0

  constructor(tx: SyncTransaction, window: FeedWindow, options: TakeOptions) {
    const { feedPosition } = tx.state
    this.#tx = tx
    this.#window = window
    this.#options = options
    this.#draft = this.#newDraft()
    this.#feedAfter = feedPosition
    this.#position = feedPosition
    this.#countedFrom = feedPosition
  }

  #newDraft(): BatchDraft {
    const { dbId, deviceId } = this.#tx.state
    return new BatchDraft(batchLimits(this.#options.limits), dbId.length + deviceId.length)
  }

  async run(): Promise<TakenBatch> {
    const atEnd = await this.#readFeed()
    await this.#finish()
    return {
      atEnd,
      waits: this.#waits,
      contents: this.#draft.contents(),
      heldGroups: this.#heldGroups,
      conflicts: this.#conflicts,
      rejected: this.#rejected,
      splitTransactionId: this.#splitPart,
    }
  }

  /** True at the end of the feed. */
  async #readFeed(): Promise<boolean> {
    while (this.#position - this.#countedFrom < READ_OPS_PER_TAKE) {
      const rows = await this.#window.read(this.#position, batchLimits(this.#options.limits))
      if (rows.length === 0) return true
      const { looseRanges } = this.#tx.state
      for (const transaction of feedTransactions(rows, looseRanges, this.#isActive)) {
        if (!(await this.#take(transaction))) return false
      }
    }
    return false
  }

  readonly #isActive = (row: FeedRow): boolean =>
    !this.#tx.hasNotes || row.opId > (this.#tx.findNote(entityKey(row))?.skipThrough ?? 0)

  /** False when the transaction has to wait for the next batch. */
  async #take(transaction: FeedTransaction): Promise<boolean> {
    const pending = await this.#pendingRows(transaction.rows)
    if (this.#waitsForEcho(pending)) {
      this.#waits = true
      return false
    }
    const feedRows = pending.map(({ row }) => row)
    if (this.#isSettledRest(transaction, feedRows)) return this.#passed(transaction)
    const rows = await lastStates(transaction, pending, this.#options.writtenAgain)
    const last = rows.map(({ row }) => row)
    const split = this.#splitOf(transaction)
    const { limits, nowMs } = this.#options
    const reasons = await reasonsToHold(this.#tx, feedRows, last, split, limits)
    if (reasons !== undefined) {
      const begun = this.#takeBack(transaction)
      const held = { all: [...begun, ...feedRows], last: [...begun, ...last] }
      const taken = await holdTaken(this.#tx, transaction, held, reasons, split, nowMs)
      this.#heldGroups.add(taken.group)
      this.#conflicts += taken.conflicts
      this.#rejected += taken.rejected
      await this.#pauseAfter(held.all.length)
      return this.#passed(transaction)
    }
    const fitting = this.#draft.fitting(last)
    // One that alone exceeds the limits is the server's to refuse.
    const count = this.#draft.isEmpty && last.length > 0 ? Math.max(fitting, 1) : fitting
    const goesOn = this.#splitPart === transaction.transactionId
    if (count === last.length && transaction.complete) {
      if (last.length > 0 || goesOn) this.#draft.add(rows, transaction.lastOpId, split?.before)
      else await this.#noteConverged(transaction, split?.before)
      this.#splitPart = null
      return this.#passed(transaction)
    }
    if (!goesOn && !this.#draft.isEmpty) return false
    if (count > 0) this.#addPart(transaction, rows.slice(0, count))
    // Perhaps all of it fits.
    if (count === last.length) return this.#passed(transaction)
    this.#cut(transaction, last[count - 1])
    return false
  }

  /** What is held fills no batch: as much is held together as is looked at. */
  async #pauseAfter(held: number): Promise<void> {
    this.#heldSincePause += held
    if (this.#heldSincePause < HELD_OPS_PER_SLICE) return
    this.#heldSincePause = 0
    await this.#options.turn()
  }

  /** An entity whose last edit was accepted, the server did not say as which revision. */
  #waitsForEcho(rows: readonly PendingRow[]): boolean {
    if (!this.#tx.hasNotes) return false
    return rows.some(({ row }) => this.#tx.findNote(entityKey(row))?.sent?.accepted === true)
  }

  /** The transaction that is sent in parts, if this is the rest of it. */
  #splitOf({ transactionId }: FeedTransaction): SplitRow | undefined {
    const { split } = this.#tx.state
    return split?.transactionId === transactionId ? split : undefined
  }

  /** Its group was decided about as a whole: what became of the transaction is noted, and nothing of it is left. */
  #isSettledRest(transaction: FeedTransaction, rows: readonly FeedRow[]): boolean {
    const group = this.#splitOf(transaction)?.group ?? null
    return group !== null && rows.length === 0 && this.#tx.notesOfGroup(group).length === 0
  }

  /** Nothing of it is left to push. Where it was decided about, that is noted already. */
  async #noteConverged(
    { lastOpId, local, rows }: FeedTransaction,
    before: CommittedPart | undefined,
  ): Promise<void> {
    if (local.length === 0 && before === undefined) return
    if (rows.length === 0 && (await this.#tx.findFate(lastOpId)) !== undefined) return
    this.#converged.push({ key: lastOpId, ...joinParts(before, heldPart(local)) })
  }

  #passed(transaction: FeedTransaction): true {
    this.#position = transaction.lastOpId
    const { split } = this.#tx.state
    if (!transaction.complete && split?.transactionId !== transaction.transactionId) {
      this.#tx.setState({ split: { transactionId: transaction.transactionId, group: null } })
    }
    if (transaction.complete && split !== null) this.#tx.setState({ split: null })
    return true
  }

  #addPart({ transactionId }: FeedTransaction, rows: readonly PendingRow[]): void {
    if (this.#splitPart === null) this.#countedFrom = rows[0]?.row.opId ?? this.#position
    this.#draft.add(rows, undefined)
    this.#splitPart = transactionId
  }

  /** What the draft has of a transaction that is to be held: nothing of it is sent. */
  #takeBack({ transactionId }: FeedTransaction): readonly FeedRow[] {
    if (this.#splitPart !== transactionId) return []
    const rows = [...this.#draft.contents().values()]
    this.#draft = this.#newDraft()
    this.#splitPart = null
    return rows
  }

  /** A transaction beyond the limits goes in parts; each waits for the outcome of the one before. */
  #cut(transaction: FeedTransaction, last: FeedRow | undefined): void {
    if (last === undefined) return
    this.#position = last.opId
    const { transactionId } = transaction
    const before = this.#splitOf(transaction)?.before
    this.#tx.setState({
      split: { transactionId, group: null, ...(before === undefined ? {} : { before }) },
    })
  }

  /** Only entities that are still pending have something to push. */
  async #pendingRows(rows: readonly FeedRow[]): Promise<readonly PendingRow[]> {
    const states = await this.#tx.replica.states(rows)
    return rows.flatMap((row, index) => {
      const state = states[index]
      return state?.pending === true
        ? [{ row, base: state.base.version, newestOpId: state.opId }]
        : []
    })
  }

  async #finish(): Promise<void> {
    if (this.#position === this.#feedAfter) return
    await recordCommitted(this.#tx, this.#converged)
    const { state } = this.#tx
    this.#clearSkipMarks()
    this.#tx.setState({
      feedPosition: this.#position,
      looseRanges: looseRangesAfter(state.looseRanges, this.#position),
    })
    if (!this.#draft.isEmpty) this.#freeze()
  }

  #freeze(): void {
    const { state } = this.#tx
    const { ops, transactions } = this.#draft.finish(state.opIdOffset)
    const batch = state.batchLast + 1
    this.#tx.setFrozen({
      id: 'batch',
      batch,
      deviceId: state.deviceId,
      feedAfter: this.#feedAfter,
      ops,
      transactions,
      groupsMax: null,
      splitTransactionId: this.#splitPart,
    })
    const last = ops.at(-1)?.opId ?? 0
    this.#tx.setState({ batchLast: batch, frozenOpIdMax: Math.max(state.frozenOpIdMax, last) })
  }

  #clearSkipMarks(): void {
    for (const note of this.#tx.notesThatSkip()) {
      if (note.skipThrough <= this.#position) this.#tx.changeNote(note, { skipThrough: 0 })
    }
  }
}
