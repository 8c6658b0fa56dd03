/**
 * Runs one cycle: performs the step of the machine's state, hands its outcome to the machine, until the
 * machine rests. Throws why the cycle failed; the machine has taken note by then.
 */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import type { GroupKeeper } from '../conflicts/group-keeper.ts'
import { greet } from '../handshake/greeter.ts'
import { type CycleEvent, type CycleState, isWorking, nextState } from '../machine/cycle-machine.ts'
import type { Puller } from '../pull/puller.ts'
import type { Pusher } from '../push/pusher.ts'
import type { StateRow } from '../state/rows.ts'
import { Round } from './round.ts'
import type { CycleTotals, Following, SyncContext } from './sync-context.ts'

export interface CycleSteps {
  readonly context: SyncContext
  readonly pusher: Pusher
  readonly puller: Puller
  readonly keeper: GroupKeeper
}

/**
 * `woken`: by a commit of this device, or by the server's stream. `asked`: by anybody, or by time; what the server
 * says about itself is asked anew.
 */
export type CycleReason = 'woken' | 'asked'

/** Woken cycles in a row that make do with what the server said about itself before them. */
const UNGREETED_MAX = 50

/** Told of every state, and with one that ends a cycle how that ended: by a failure, or well (null). */
export type EnterState = (state: CycleState, ending?: EntiDBError | null) => void

export class Cycle {
  readonly #steps: CycleSteps
  readonly #enter: EnterState
  #state: CycleState = 'idle'
  /** The stream that was open when hands were shaken last, if nothing since says that it has to be done again. */
  #greetedOn: Following | null = null
  /** Cycles since then that did without. */
  #ungreeted = 0
  #isInVain = false

  constructor(steps: CycleSteps, enter: EnterState) {
    this.#steps = steps
    this.#enter = enter
  }

  get state(): CycleState {
    return this.#state
  }

  /** The stream named more than the cycle found: no pull brought anything, or came to what was named before it. */
  get isInVain(): boolean {
    return this.#isInVain
  }

  /** An event from outside: `start`, `stop`. */
  call(event: 'start' | 'stop'): void {
    this.#send(event)
  }

  /** One full cycle. Errors: `sync_stopped`, and what `docs/sync-client.md` lists for each step. */
  async run(signal: AbortSignal, reason: CycleReason): Promise<CycleTotals> {
    const totals: CycleTotals = { pulled: 0, pushed: 0, conflicts: 0, rejected: 0 }
    const { context } = this.#steps
    const round = new Round(totals, reason === 'woken' && this.#goesUngreeted())
    this.#send('begin')
    context.head = 0
    this.#isInVain = false
    context.progress.begin()
    try {
      while (isWorking(this.#state)) {
        const event = await this.#step(totals, round, signal)
        // Perhaps started again since: the state is that of the next cycle.
        if (signal.aborted) break
        this.#send(event, event === 'pushed' ? null : undefined)
      }
    } finally {
      context.progress.pause()
    }
    if (signal.aborted) throw stopped()
    context.greeted = false
    return totals
  }

  /**
   * What a handshake tells is told by the stream's end (another server, another token), or by the answers themselves
   * (another epoch, another replica, what was purged). What is left, a token that may see something else now, is
   * looked at now and then.
   */
  #goesUngreeted(): boolean {
    const { context } = this.#steps
    const isSameStream = context.following !== null && context.following === this.#greetedOn
    if (!isSameStream || this.#ungreeted >= UNGREETED_MAX) return false
    this.#ungreeted += 1
    context.greeted = true
    return true
  }

  /** Unless hands were shaken already. */
  async #greet(signal: AbortSignal): Promise<void> {
    const { context } = this.#steps
    if (context.greeted) return
    const { following } = context
    await greet(context, signal)
    context.greeted = true
    this.#greetedOn = following
    this.#ungreeted = 0
  }

  async #pull(totals: CycleTotals, round: Round, signal: AbortSignal): Promise<void> {
    const { context, puller } = this.#steps
    const { following, store } = context
    const heard = following?.head
    if (round.mayTrustStream() && heard !== undefined && isCurrent(store.state, heard)) return
    const { pulled } = totals
    await puller.pullAll(totals, signal)
    context.progress.endPull()
    if (following === null || heard === undefined || heard <= store.state.cursor) return
    // A head that the server does not have must not be run after.
    if (totals.pulled === pulled) this.#isInVain = true
    if (following.head === heard) following.head = store.state.cursor
  }

  async #step(totals: CycleTotals, round: Round, signal: AbortSignal): Promise<CycleEvent> {
    try {
      return await this.#perform(totals, round, signal)
    } catch (error) {
      const failure = failureOf(error, signal)
      if (failure === undefined) {
        // A bug, here or in the application: it surfaces, and nothing spins.
        this.#send('refused')
        throw error
      }
      if (!isPassing(failure)) {
        this.#steps.context.greeted = false
        this.#greetedOn = null
      }
      if (signal.aborted) throw failure
      // A handshake has no epoch to be wrong about: there it is the server that is.
      const canChangeEpoch = failure.code === 'epoch_mismatch' && this.#state !== 'handshaking'
      if (canChangeEpoch && round.mayChangeEpoch(this.#steps.context.store.state.epoch))
        return 'epochChanged'
      if (failure.code === 'cursor_expired' && this.#state === 'pulling' && round.mayResync()) {
        // Away for so long that deletes were forgotten: what the server said before may be as old.
        this.#steps.context.greeted = false
        await this.#steps.puller.resync()
        return this.#step(totals, round, signal)
      }
      const event = eventOf(failure)
      this.#send(event, event === 'stop' ? undefined : failure)
      throw failure
    }
  }

  async #perform(totals: CycleTotals, round: Round, signal: AbortSignal): Promise<CycleEvent> {
    const { context, pusher, keeper } = this.#steps
    switch (this.#state) {
      case 'recovering':
        await pusher.decideFrozen(totals, signal)
        return 'recovered'
      case 'handshaking':
        await this.#greet(signal)
        return context.store.frozen === null ? 'greeted' : 'greetedFrozen'
      case 'pulling':
        await this.#greet(signal)
        await this.#pull(totals, round, signal)
        return 'pulled'
      case 'resolving':
        await keeper.settleAll(signal)
        return 'resolved'
      default: {
        const more = await pusher.pushAll(totals, signal)
        if (more && round.goesOn(context.store.state.revisionMax)) return 'pullAgain'
        context.progress.end()
        return 'pushed'
      }
    }
  }

  #send(event: CycleEvent, ending?: EntiDBError | null): void {
    const next = nextState(this.#state, event)
    if (next === this.#state) return
    this.#state = next
    this.#enter(next, ending)
  }
}

/** Nothing to pull, nor to go on with. */
function isCurrent({ cursor, resync }: StateRow, head: number): boolean {
  return cursor >= head && cursor > 0 && resync === null
}

function failureOf(error: unknown, signal: AbortSignal): EntiDBError | undefined {
  if (signal.aborted) return stopped()
  return isEntiDBError(error) ? error : undefined
}

/** Says nothing about whether the server is still the one that was greeted. */
function isPassing({ code, retry }: EntiDBError): boolean {
  return retry === 'later' && code !== 'epoch_mismatch'
}

function eventOf({ code, retry }: EntiDBError): CycleEvent {
  if (code === 'sync_stopped') return 'stop'
  if (retry === 'later') return 'retryLater'
  return retry === 'after-auth' ? 'tokenRefused' : 'refused'
}

function stopped(): EntiDBError {
  return new EntiDBError('sync_stopped', 'Sync was stopped')
}
