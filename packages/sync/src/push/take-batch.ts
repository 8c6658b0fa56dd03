/**
 * Takes the next local transactions from the change feed: into a batch that is frozen, or into a held
 * group. One transaction; what it took is never taken again.
 */
import { isValidCollectionName, type Limits } from '@entidb/protocol'
import { joinGroup } from '../conflicts/groups.ts'
import { isBaseLost, learnRemote } from '../conflicts/learn-remote.ts'
import { entityKey } from '../entity-ref.ts'
import { findEvicted } from '../evict/evicted-rows.ts'
import { heldPart, joinParts } from '../ledger/committed-part.ts'
import { recordCommitted } from '../ledger/record-committed.ts'
import type { FeedRow } from '../state/engine.ts'
import { looseRangesAfter } from '../state/loose-ranges.ts'
import type {
  CommittedPart,
  CommittedTransaction,
  SplitRow,
  WrittenEntities,
} from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { BatchDraft, type BatchLimits, type DraftRow } from './batch-draft.ts'
import { type FeedTransaction, feedTransactions } from './feed-transactions.ts'
import type { FeedWindow } from './feed-window.ts'

export interface TakeOptions {
  readonly limits: Limits
  readonly nowMs: number
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
  /** The transaction of which this batch is a part, if it is. */
  readonly splitTransactionId: number | null
}

/** Most operations in a batch, whatever the server allows. */
const BATCH_OPS_MAX = 5_000
/** Most feed operations looked at in one transaction. */
const READ_OPS_PER_TAKE = 20_000

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
  readonly #draft: BatchDraft
  readonly #feedAfter: number
  readonly #heldGroups = new Set<number>()
  /** Transactions whose entities the server has as they are here. */
  readonly #converged: CommittedTransaction[] = []
  #position: number
  #splitPart: number | null = null
  #waits = false

  constructor(tx: SyncTransaction, window: FeedWindow, options: TakeOptions) {
    const { dbId, deviceId, feedPosition } = tx.state
    this.#tx = tx
    this.#window = window
    this.#options = options
    this.#draft = new BatchDraft(batchLimits(options.limits), dbId.length + deviceId.length)
    this.#feedAfter = feedPosition
    this.#position = feedPosition
  }

  async run(): Promise<TakenBatch> {
    const atEnd = await this.#readFeed()
    await this.#finish()
    return {
      atEnd,
      waits: this.#waits,
      contents: this.#draft.contents(),
      heldGroups: this.#heldGroups,
      splitTransactionId: this.#splitPart,
    }
  }

  /** True at the end of the feed. */
  async #readFeed(): Promise<boolean> {
    while (this.#position - this.#feedAfter < READ_OPS_PER_TAKE) {
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
    const rows = await this.#pendingRows(transaction.rows)
    if (this.#waitsForEcho(rows)) {
      this.#waits = true
      return false
    }
    const feedRows = rows.map(({ row }) => row)
    if (this.#isSettledRest(transaction, feedRows)) return this.#passed(transaction)
    const hold = await this.#holdIfNeeded(transaction, feedRows)
    const count = hold ? 0 : this.#draft.fitting(feedRows)
    // What does not fit alone is sent all the same, and refused there.
    const isAlone = this.#draft.isEmpty && rows.length === 1
    const isWhole = (count === rows.length || isAlone) && transaction.complete
    if (!hold && !isWhole && !this.#draft.isEmpty) return false
    if (hold) return this.#passed(transaction)
    if (isWhole) {
      const before = this.#splitOf(transaction)?.before
      if (rows.length > 0) this.#draft.add(rows, transaction.lastOpId, before)
      else await this.#noteConverged(transaction, before)
      return this.#passed(transaction)
    }
    return this.#takePart(transaction, rows, Math.max(count, 1))
  }

  /** An entity whose last edit was accepted, the server did not say as which revision. */
  #waitsForEcho(rows: readonly DraftRow[]): boolean {
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

  /** A transaction beyond the limits goes in parts; each waits for the outcome of the one before. */
  #takePart(transaction: FeedTransaction, rows: readonly DraftRow[], count: number): false {
    const part = rows.slice(0, count)
    const last = part.at(-1)
    this.#draft.add(part, undefined)
    this.#position =
      count < rows.length && last !== undefined ? last.row.opId : transaction.lastOpId
    const { transactionId } = transaction
    this.#splitPart = transactionId
    const before = this.#splitOf(transaction)?.before
    this.#tx.setState({
      split: { transactionId, group: null, ...(before === undefined ? {} : { before }) },
    })
    return false
  }

  /** Only entities that are still pending have something to push. */
  async #pendingRows(rows: readonly FeedRow[]): Promise<readonly DraftRow[]> {
    const states = await this.#tx.replica.states(rows)
    return rows.flatMap((row, index) => {
      const state = states[index]
      return state?.pending === true ? [{ row, base: state.base.version }] : []
    })
  }

  /** Whether the transaction joined a held group instead of the batch. */
  async #holdIfNeeded(transaction: FeedTransaction, rows: readonly FeedRow[]): Promise<boolean> {
    const rest = this.#splitOf(transaction)?.group ?? null
    const held =
      this.#tx.hasNotes && rows.some((row) => this.#tx.findNote(entityKey(row))?.group != null)
    const stale = await this.#staleRows(rows)
    const refused = rows.flatMap((row) => {
      const reason = refusalOf(row, this.#options.limits)
      return reason === undefined ? [] : [{ row, reason }]
    })
    if (rest === null && !held && stale.length === 0 && refused.length === 0) return false
    const group = await joinGroup(this.#tx, rows, rest)
    // The rest of a transaction of which a part was refused is no edit since.
    if (rows.length > 0 && rest === null) this.#sendRejectedAgain(group)
    this.#heldGroups.add(group)
    for (const row of stale) await this.#noteStale(row)
    for (const { row, reason } of refused) this.#noteRefusal(row, reason)
    const part = joinParts(this.#splitOf(transaction)?.before, heldPart(rows))
    if (transaction.complete) {
      const code = refused[0]?.reason.code ?? (rest === null ? null : this.#rejectionOf(group))
      await this.#noteFate(transaction, part.written, group, code)
    } else {
      // Its last part names it.
      const { transactionId } = transaction
      this.#tx.setState({ split: { transactionId, group, before: part } })
    }
    return true
  }

  /** Made on what is not stored any more. What was evicted is no news: the server says what it has. */
  async #staleRows(rows: readonly FeedRow[]): Promise<readonly FeedRow[]> {
    const stale: FeedRow[] = []
    for (const row of rows) {
      if (row.staleBase && (await findEvicted(this.#tx, row)) === undefined) stale.push(row)
    }
    return stale
  }

  /** An edit of a rejected group: with nothing else against it, the whole group is sent again. */
  #sendRejectedAgain(group: number): void {
    for (const note of this.#tx.notesOfGroup(group)) {
      if (note.rejection !== null) this.#tx.changeNote(note, { rejection: null })
    }
  }

  /** The code that explains a rejected group; null when it is not rejected. */
  #rejectionOf(group: number): string | null {
    const codes = this.#tx.notesOfGroup(group).flatMap(({ rejection }) => rejection?.code ?? [])
    return codes.find((code) => code !== 'group') ?? codes[0] ?? null
  }

  /** Edited on a state that the device had replaced: as if the stored one had come just now. */
  async #noteStale(row: FeedRow): Promise<void> {
    const state = await this.#tx.replica.state(row.collection, row.entityId)
    const note = this.#tx.note(row)
    const { nowMs } = this.#options
    const known = await this.#tx.remoteOf(note)
    const remote = known ?? state.base
    if (isBaseLost(note, state)) {
      // What the server has may be what that was made on: the edit was not.
      this.#tx.changeNote(row, { ancestorThrough: -1 })
      // That nothing is here either says nothing about the server: the delete is offered to it.
      if (known === null && state.bytes === null) return
    }
    const since = { sinceMs: note.conflict?.sinceMs ?? nowMs, deferred: null }
    this.#tx.changeNote(row, { conflict: { ...since, remote, stale: true } })
    await learnRemote(this.#tx, row, remote, {
      nowMs,
      present: true,
      onViolation: () => {},
    })
  }

  #noteRefusal(row: FeedRow, { code, message }: Refusal): void {
    this.#tx.changeNote(row, {
      rejection: { code, message, sinceMs: this.#options.nowMs, unknown: false },
    })
  }

  async #noteFate(
    { lastOpId }: FeedTransaction,
    written: WrittenEntities,
    group: number,
    code: string | null,
  ): Promise<void> {
    await this.#tx.putFate(lastOpId, {
      group,
      fate: code === null ? 'open' : 'rejected',
      how: code,
      decidedBy: null,
      successor: null,
      entityVersions: null,
      written,
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

interface Refusal {
  readonly code: string
  readonly message: string
}

/** What no server takes is not sent: one such operation would refuse the whole request. */
function refusalOf(row: FeedRow, limits: Limits): Refusal | undefined {
  if (!isValidCollectionName(row.collection)) {
    return { code: 'invalid_request', message: `Collection ${row.collection} cannot be synced` }
  }
  if ((row.payloadCbor?.length ?? 0) > limits.maxEntityBytes) {
    return {
      code: 'too_large',
      message: `The entity exceeds the server's ${limits.maxEntityBytes} bytes`,
    }
  }
  return undefined
}
