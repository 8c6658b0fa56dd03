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
import type { CycleTotals, SyncContext } from './sync-context.ts'

export interface CycleSteps {
  readonly context: SyncContext
  readonly pusher: Pusher
  readonly puller: Puller
  readonly keeper: GroupKeeper
}

/** Rounds of a cycle in which nothing moved before it ends all the same. */
const IDLE_ROUNDS_MAX = 3
/** Changes of epoch in one cycle before the server counts as unable to keep one. */
const EPOCH_CHANGES_MAX = 10
/** Re-syncs that one cycle begins. */
const RESYNCS_MAX = 2

export class Cycle {
  readonly #steps: CycleSteps
  readonly #enter: (state: CycleState) => void
  #state: CycleState = 'idle'

  /** `enter` is told of every state. */
  constructor(steps: CycleSteps, enter: (state: CycleState) => void) {
    this.#steps = steps
    this.#enter = enter
  }

  get state(): CycleState {
    return this.#state
  }

  /** An event from outside: `start`, `stop`. */
  call(event: 'start' | 'stop'): void {
    this.#send(event)
  }

  /** One full cycle. Errors: `sync_stopped`, and what `docs/sync-client.md` lists for each step. */
  async run(signal: AbortSignal): Promise<CycleTotals> {
    const totals: CycleTotals = { pulled: 0, pushed: 0, conflicts: 0, rejected: 0 }
    const round = new Round(totals)
    this.#send('begin')
    this.#steps.context.head = 0
    while (isWorking(this.#state)) {
      const event = await this.#step(totals, round, signal)
      this.#send(event)
    }
    if (signal.aborted) throw stopped()
    this.#steps.context.greeted = false
    return totals
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
      this.#steps.context.greeted &&= isPassing(failure)
      if (failure.code === 'epoch_mismatch' && round.mayChangeEpoch()) return 'epochChanged'
      if (failure.code === 'cursor_expired' && this.#state === 'pulling' && round.mayResync()) {
        await this.#steps.puller.resync()
        return this.#step(totals, round, signal)
      }
      this.#send(eventOf(failure))
      throw failure
    }
  }

  async #perform(totals: CycleTotals, round: Round, signal: AbortSignal): Promise<CycleEvent> {
    const { context, pusher, puller, keeper } = this.#steps
    switch (this.#state) {
      case 'recovering':
        await pusher.decideFrozen(totals, signal)
        return 'recovered'
      case 'handshaking':
        if (!context.greeted) await greet(context, signal)
        context.greeted = true
        return context.store.frozen === null ? 'greeted' : 'greetedFrozen'
      case 'pulling':
        showProgress(context)
        await puller.pullAll(totals, signal)
        context.board.set({ progress: null })
        return 'pulled'
      case 'resolving':
        await keeper.settleAll(signal)
        return 'resolved'
      default: {
        const more = await pusher.pushAll(totals, signal)
        return more && round.goesOn() ? 'pullAgain' : 'pushed'
      }
    }
  }

  #send(event: CycleEvent): void {
    const next = nextState(this.#state, event)
    if (next === this.#state) return
    this.#state = next
    this.#enter(next)
  }
}

/** Keeps a cycle from going round for ever. */
class Round {
  readonly #totals: CycleTotals
  #moved = -1
  #idle = 0
  #epochs = 0
  #resyncs = 0

  constructor(totals: CycleTotals) {
    this.#totals = totals
  }

  goesOn(): boolean {
    const { pulled, pushed, conflicts, rejected } = this.#totals
    const moved = pulled + pushed + conflicts + rejected
    this.#idle = moved === this.#moved ? this.#idle + 1 : 0
    this.#moved = moved
    return this.#idle < IDLE_ROUNDS_MAX
  }

  mayResync(): boolean {
    this.#resyncs += 1
    return this.#resyncs <= RESYNCS_MAX
  }

  mayChangeEpoch(): boolean {
    this.#epochs += 1
    return this.#epochs <= EPOCH_CHANGES_MAX
  }
}

/** A pull from the beginning knows what it will amount to. */
function showProgress({ board, store, serverEntities }: SyncContext): void {
  const { cursor, resync } = store.state
  const fromStart = cursor === 0 || resync?.phase === 'pulling'
  if (!fromStart || serverEntities === undefined || serverEntities === 0) return
  board.set({ progress: { done: 0, total: serverEntities } })
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
