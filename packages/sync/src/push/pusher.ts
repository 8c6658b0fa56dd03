/**
 * Pushes: takes a batch, freezes it, sends it until it is decided. A frozen batch whose outcome is
 * unknown is sent again, the same bytes under the same opIds, before anything else.
 */
import { type EntiDBError, isEntiDBError } from '@entidb/core'
import type { PushResponse } from '@entidb/protocol'
import { viewGroup } from '../conflicts/group-view.ts'
import type { Rejection } from '../conflicts/rejection.ts'
import { rejectionOf } from '../conflicts/sides.ts'
import {
  type CycleTotals,
  learnContext,
  noteTouched,
  type SyncContext,
} from '../cycle/sync-context.ts'
import type { FrozenOp, FrozenRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { isTimedOut } from '../transport/http-transport.ts'
import { isTooLong } from '../transport/response-body.ts'
import type { SentRequest } from './answers.ts'
import { applyPushResponse, type PushOutcome } from './apply-response.ts'
import {
  contentOf,
  countGroups,
  encodeFrozenOps,
  encodeFrozenRequest,
  type FrozenContents,
  nextRequestOps,
  readFrozenContents,
} from './frozen-request.ts'
import { NextBatch } from './next-batch.ts'
import { offerAll } from './offer.ts'
import type { TakenBatch } from './take-batch.ts'
import { halveRequests, holdAsRejected, type Refusal, renumber } from './undecided.ts'

/** Times in a row that a batch gets new opIds before the server counts as unable to take any. */
const RENUMBERS_MAX = 5
/** `internal` answers in a row after which a smaller request is tried. */
const INTERNALS_MAX = 3
/** A request of more that takes too long may be one for which the uplink is too slow. */
const SLOW_BYTES_MIN = 64 * 1024

export class Pusher {
  readonly #context: SyncContext
  #contents: { readonly batch: number; readonly byOpId: FrozenContents } | undefined
  readonly #next: NextBatch
  #internals = { batch: 0, count: 0 }

  constructor(context: SyncContext) {
    this.#context = context
    this.#next = new NextBatch(context)
  }

  /**
   * Pushes what is pending. True when there is something to pull before more is pushed: other devices'
   * edits, a conflict, a group to look at, an own edit whose revision no answer names.
   */
  async pushAll(totals: CycleTotals, signal: AbortSignal): Promise<boolean> {
    const { store, progress } = this.#context
    await offerAll(store)
    progress.beginPush()
    try {
      for (let taken = await this.#take(totals); ; ) {
        signal.throwIfAborted()
        if (!taken.atEnd) progress.pushGoesOn()
        const conflicts = totals.conflicts
        const held = taken.heldGroups.size > 0
        const next = await this.#decide(totals, signal, !held && !taken.atEnd)
        const isBehind = store.state.cursor < this.#context.head
        if (next === undefined) {
          if (held || isBehind || taken.waits || totals.conflicts > conflicts) return true
          if (taken.atEnd) return false
        }
        taken = next ?? (await this.#take(totals))
      }
    } finally {
      this.#next.clear()
      if (store.frozen === null) this.#contents = undefined
    }
  }

  /** Sends the frozen batch until every operation of it is decided or held. */
  async decideFrozen(totals: CycleTotals, signal: AbortSignal): Promise<void> {
    await this.#decide(totals, signal, false)
  }

  /**
   * As `decideFrozen`. With `takesNext` the batch after it is taken in the transaction that applies the last answer,
   * if the answer lets pushing go on: it is what this answers.
   */
  async #decide(
    totals: CycleTotals,
    signal: AbortSignal,
    takesNext: boolean,
  ): Promise<TakenBatch | undefined> {
    const { store } = this.#context
    let next: TakenBatch | undefined
    let renumbers = 0
    for (let frozen = store.frozen; frozen !== null && next === undefined; frozen = store.frozen) {
      signal.throwIfAborted()
      const contents = await this.#contentsOf(frozen)
      const request = this.#requestOf(frozen, contents)
      try {
        next = await this.#send(frozen, request, totals, signal, takesNext)
      } catch (error) {
        if (!isEntiDBError(error)) throw error
        if (error.code === 'op_id_reused' && ++renumbers > RENUMBERS_MAX) throw error
        const refused = await this.#cope(error, frozen, request)
        if (refused === undefined) throw error
        totals.rejected += refused
      }
    }
    return next
  }

  async #take(totals: CycleTotals): Promise<TakenBatch> {
    const taken = await this.#context.store.transaction((tx) => this.#next.take(tx))
    await this.#noteTaken(taken, totals)
    return taken
  }

  async #noteTaken(taken: TakenBatch, totals: CycleTotals): Promise<void> {
    const { contents, splitTransactionId, heldGroups, conflicts, rejected } = taken
    const { store, emitter } = this.#context
    totals.conflicts += conflicts
    totals.rejected += rejected
    const batch = store.frozen?.batch
    if (batch !== undefined) this.#contents = { batch, byOpId: contents }
    if (splitTransactionId !== null) {
      emitter.emit('split', { transactionId: splitTransactionId })
    }
    await this.#tellRejected(heldGroups)
  }

  async #contentsOf(frozen: FrozenRow): Promise<FrozenContents> {
    if (this.#contents?.batch !== frozen.batch) {
      const byOpId = await readFrozenContents(this.#context.store.engine, frozen)
      this.#contents = { batch: frozen.batch, byOpId }
    }
    return this.#contents.byOpId
  }

  #requestOf(frozen: FrozenRow, contents: FrozenContents): SentRequest {
    return {
      batch: frozen.batch,
      ops: nextRequestOps(frozen),
      contents,
      cursor: this.#context.store.state.cursor,
    }
  }

  async #send(
    frozen: FrozenRow,
    request: SentRequest,
    totals: CycleTotals,
    signal: AbortSignal,
    takesNext: boolean,
  ): Promise<TakenBatch | undefined> {
    const { store, replicaId } = this.#context
    const { ops, contents } = request
    const encoded =
      this.#next.encodedOps(ops) ??
      encodeFrozenOps(store.state.dbId, frozen.deviceId, ops, contents)
    const body = encodeFrozenRequest(store.state, frozen, encoded, replicaId)
    noteTouched(this.#context, ops)
    const response = await this.#answerTo(body, signal, takesNext)
    const context = learnContext(this.#context)
    const { outcome, next } = await store.transaction(async (tx) => {
      const outcome = await applyPushResponse(tx, request, response, context)
      const goesOn = takesNext && outcome !== undefined && this.#mayGoOn(tx, response)
      return { outcome, next: goesOn ? await this.#next.take(tx) : undefined }
    })
    this.#context.head = Math.max(this.#context.head, response.head ?? 0)
    this.#internals = { batch: 0, count: 0 }
    if (outcome !== undefined) await this.#tell(outcome, totals)
    if (next !== undefined) await this.#noteTaken(next, totals)
    return next
  }

  /** Ends with nothing left under way. */
  async #answerTo(
    body: Uint8Array,
    signal: AbortSignal,
    takesNext: boolean,
  ): Promise<PushResponse> {
    const answer = this.#context.transport.push(body, signal)
    const rehearsal = takesNext ? this.#next.rehearse() : undefined
    try {
      return await answer
    } finally {
      await rehearsal
    }
  }

  /** All that was sent is committed, and there is nothing that has to be pulled first. */
  #mayGoOn(tx: SyncTransaction, { conflicts, rejected, head }: PushResponse): boolean {
    const isClean = conflicts.length === 0 && (rejected ?? []).length === 0
    const isBehind = tx.state.cursor < Math.max(this.#context.head, head ?? 0)
    return tx.frozen === null && isClean && !isBehind
  }

  async #tell(outcome: PushOutcome, totals: CycleTotals): Promise<void> {
    totals.pushed += outcome.committed.length
    totals.conflicts += outcome.conflicts
    totals.rejected += outcome.rejected
    if (outcome.rejected > 0) await this.#tellRejected(outcome.heldGroups)
  }

  async #tellRejected(groups: ReadonlySet<number>): Promise<void> {
    const { store, emitter } = this.#context
    if (groups.size === 0) return
    const rejections = await store.read(async (tx) => {
      const found: Rejection[] = []
      for (const group of groups) {
        const rejection = rejectionOf(await viewGroup(tx, group, store.edits))
        if (rejection !== undefined) found.push(rejection)
      }
      return found
    })
    for (const rejection of rejections) emitter.emit('rejected', rejection)
  }

  /**
   * Changes the batch so that sending goes on; answers how many operations of it were set aside as rejected.
   * Undefined when the error ends the cycle.
   */
  async #cope(
    error: EntiDBError,
    frozen: FrozenRow,
    request: SentRequest,
  ): Promise<number | undefined> {
    const { code, message } = error
    const { ops } = request
    switch (code) {
      case 'op_id_reused':
        return this.#renumber(error)
      case 'too_large':
      case 'invalid_request':
        return this.#shrinkOrHold(frozen, ops, { code, message, unknown: false })
      case 'forbidden':
        return this.#hold(frozen, frozen.ops, { code, message, unknown: true })
      case 'server_unreachable':
        if (isTimedOut(error) && bytesOf(request) > SLOW_BYTES_MIN) {
          await this.#sendLess(frozen, ops)
        }
        return undefined
      case 'invalid_response':
        // Conflicts tell what the server has of each operation, however short the request was.
        if (!isTooLong(error)) return undefined
        return this.#shrinkOrHold(frozen, ops, { code: 'too_large', message, unknown: true })
      case 'internal':
        if (!this.#isThirdInternal(frozen.batch)) return undefined
        return this.#shrinkOrHold(frozen, ops, { code, message, unknown: true })
      default:
        return undefined
    }
  }

  #isThirdInternal(batch: number): boolean {
    const count = this.#internals.batch === batch ? this.#internals.count + 1 : 1
    this.#internals = { batch, count: count % INTERNALS_MAX }
    return count === INTERNALS_MAX
  }

  async #renumber({ details }: EntiDBError): Promise<number> {
    const { store, emitter } = this.#context
    const serverOpIdMax = typeof details.lastOpId === 'number' ? details.lastOpId : 0
    await store.transaction(async (tx) => renumber(tx, serverOpIdMax))
    emitter.emit('device', { reason: 'renumbered', deviceId: store.state.deviceId })
    return 0
  }

  async #shrinkOrHold(
    frozen: FrozenRow,
    sent: readonly FrozenOp[],
    refusal: Refusal,
  ): Promise<number> {
    if (countGroups(sent) <= 1) return this.#hold(frozen, sent, refusal)
    await this.#sendLess(frozen, sent)
    return 0
  }

  /** With the next request, unless `sent` is a group alone. */
  async #sendLess(frozen: FrozenRow, sent: readonly FrozenOp[]): Promise<void> {
    await this.#context.store.transaction(async (tx) => {
      if (tx.frozen?.batch === frozen.batch) halveRequests(tx, tx.frozen, sent)
    })
  }

  async #hold(frozen: FrozenRow, ops: readonly FrozenOp[], refusal: Refusal): Promise<number> {
    const { store, now } = this.#context
    const contents = await this.#contentsOf(frozen)
    const groups = await store.transaction(async (tx) => {
      // Under another name meanwhile, what was refused is not what is to be sent now.
      if (tx.frozen?.batch !== frozen.batch) return new Set<number>()
      return holdAsRejected(tx, tx.frozen, ops, contents, refusal, now())
    })
    await this.#tellRejected(groups)
    return groups.size === 0 ? 0 : ops.length
  }
}

/** Of the entities that are sent. */
function bytesOf({ ops, contents }: SentRequest): number {
  return ops.reduce((sum, op) => sum + (contentOf(contents, op).payloadCbor?.length ?? 0), 0)
}
