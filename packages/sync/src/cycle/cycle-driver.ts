/**
 * Decides when cycles run: one at a time, at once after a wake-up, later after a failure, now and then when
 * nothing happens. What happens while a cycle runs shares the next one. Never in a tight loop: a failed cycle is
 * followed by a timer or by silence.
 */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, Backoff } from '../backoff.ts'
import type { Timers } from '../environment.ts'
import type { Cycle, CycleReason } from './cycle.ts'
import type { CycleTotals } from './sync-context.ts'

export interface CycleDriverOptions {
  readonly cycle: Cycle
  readonly timers: Timers
  readonly random: () => number
  readonly pollIntervalMs: number
  /** Commits and news of one turn of the host share a cycle. */
  readonly turn: () => Promise<void>
  /** The server is known to have something that this device lacks. */
  readonly isBehind: () => boolean
  readonly onSuccess: (totals: CycleTotals) => void
  readonly onFailure: (error: EntiDBError) => void
}

/** What a task that keeps cycles away is given. */
export interface ExclusiveTurn {
  /** Runs a full cycle, as part of the task. */
  readonly cycle: () => Promise<CycleTotals>
  readonly signal: AbortSignal
}

export class CycleDriver {
  readonly #options: CycleDriverOptions
  readonly #backoff: Backoff
  /** Of cycles in a row that found nothing although the stream said so. */
  readonly #vainBackoff: Backoff
  #abort = new AbortController()
  /** A cycle, or a task that keeps cycles away. */
  #running: Promise<unknown> | undefined
  #queued: Promise<CycleTotals> | undefined
  #automatic = false
  #wokenWhileRunning = false
  /** A timer went off meanwhile: nothing else would begin the next cycle. */
  #dueWhileRunning = false
  /** If the cycle fails, it may be for what was before. */
  #onlineWhileRunning = false
  #cancelTimer: () => void = () => {}
  /** Ends the pause in which the stream begins no cycle; undefined: there is none. */
  #endPause: (() => void) | undefined

  constructor(options: CycleDriverOptions) {
    this.#options = options
    const { random } = options
    const backoffOptions = { baseMs: BACKOFF_BASE_MS, capMs: BACKOFF_CAP_MS, random }
    this.#backoff = new Backoff(backoffOptions)
    this.#vainBackoff = new Backoff(backoffOptions)
  }

  /** From now on cycles run by themselves; the first one at once. */
  start(): void {
    if (this.#automatic) return
    this.#automatic = true
    this.#listen()
    this.#runSilently('asked')
  }

  /** Ends the running cycle between two transactions, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#automatic = false
    this.#cancelTimer()
    this.#endPause?.()
    this.#abort.abort()
    this.#options.cycle.call('stop')
    await Promise.allSettled([this.#running, this.#queued])
  }

  /** As `stop`, but cycles can still be asked for. */
  async pause(): Promise<void> {
    await this.stop()
    // Started meanwhile: that is the last word.
    if (!this.#automatic) this.#listen()
  }

  /** A cycle that runs already was asked for since the last stop, and ends with the next one. */
  #listen(): void {
    if (this.#abort.signal.aborted) this.#abort = new AbortController()
    this.#options.cycle.call('start')
  }

  /** A full cycle that begins after this call. Resets the backoff. */
  run(): Promise<CycleTotals> {
    this.#backoff.reset()
    if (this.#running === undefined) return this.#begin('asked')
    this.#queued ??= this.#afterRunning()
    return this.#queued
  }

  /**
   * Runs `task` while no cycle runs; it runs cycles of its own by calling `cycle`. Its signal is aborted by
   * `stop`, which waits for its end.
   */
  async exclusively<R>(task: (turn: ExclusiveTurn) => Promise<R>): Promise<R> {
    while (this.#running !== undefined) await Promise.allSettled([this.#running])
    const { signal } = this.#abort
    const running = task({
      cycle: () => {
        this.#backoff.reset()
        return this.#runCycle('asked', signal)
      },
      signal,
    })
    this.#running = running
    try {
      return await running
    } finally {
      this.#running = undefined
      this.#goOn()
    }
  }

  /** Something is to be pushed. Does nothing while a failure is being waited out. */
  wake(): void {
    if (this.#running !== undefined) this.#wokenWhileRunning = true
    else this.#wakeIdle()
  }

  /** There may be something to pull. A cycle that runs looks itself, at its end. */
  wakeIfBehind(): void {
    if (this.#running === undefined && this.#hasNews()) this.#wakeIdle()
  }

  /** The network is back, or the device has another name: no reason to wait any longer. */
  online(): void {
    if (!this.#automatic) return
    this.#backoff.reset()
    if (this.#running !== undefined) this.#onlineWhileRunning = true
    else this.#runSilently('asked')
  }

  async #afterRunning(): Promise<CycleTotals> {
    // Whoever waited too may have begun first: nothing is awaited between the look and the beginning.
    while (this.#running !== undefined) await Promise.allSettled([this.#running])
    this.#queued = undefined
    return this.#begin('asked')
  }

  #wakeIdle(): void {
    if (this.#options.cycle.state === 'idle') this.#runSoon()
  }

  /** What woke while nothing could begin. */
  #goOn(): void {
    const isDue = this.#dueWhileRunning
    this.#dueWhileRunning = false
    if (isDue) this.#runAfter(0)
    else if (this.#wokenWhileRunning || this.#hasNews()) this.#wakeIdle()
  }

  #begin(reason: CycleReason): Promise<CycleTotals> {
    const running = this.#runCycle(reason).finally(() => {
      this.#running = undefined
      // What woke after the cycle had looked for the last time; a failure is waited out.
      if (this.#options.cycle.state === 'idle') this.#goOn()
    })
    this.#running = running
    return running
  }

  async #runCycle(reason: CycleReason, signal = this.#abort.signal): Promise<CycleTotals> {
    if (signal.aborted) throw new EntiDBError('sync_stopped', 'Sync was stopped')
    const { cycle, onSuccess, onFailure, pollIntervalMs } = this.#options
    this.#cancelTimer()
    this.#wokenWhileRunning = false
    this.#onlineWhileRunning = false
    try {
      const totals = await cycle.run(signal, reason)
      this.#backoff.reset()
      this.#pauseIfInVain()
      onSuccess(totals)
      if (this.#wokenWhileRunning || this.#hasNews()) this.#runSoon()
      else this.#runAfter(pollIntervalMs)
      return totals
    } catch (error) {
      if (isEntiDBError(error)) {
        onFailure(error)
        this.#runAfterFailure(error)
      } else this.#runAfter(pollIntervalMs)
      throw error
    }
  }

  #hasNews(): boolean {
    return this.#endPause === undefined && this.#options.isBehind()
  }

  /** A stream that names heads which the server does not serve must not be run after. Whatever else begins cycles, does. */
  #pauseIfInVain(): void {
    const { cycle, timers } = this.#options
    if (!cycle.isInVain) this.#vainBackoff.reset()
    else if (this.#automatic && this.#endPause === undefined) {
      const end = (): void => {
        cancel()
        this.#endPause = undefined
      }
      this.#endPause = end
      const cancel = timers.after(this.#vainBackoff.next(), () => {
        end()
        this.wakeIfBehind()
      })
    }
  }

  #runAfterFailure(error: EntiDBError): void {
    const { cycle, pollIntervalMs } = this.#options
    if (this.#onlineWhileRunning) {
      this.#runAfter(0)
      return
    }
    // Superseded by another installation: only a new deviceId changes that.
    if (error.code === 'device_conflict') return
    if (cycle.state !== 'backingOff') {
      this.#runAfter(pollIntervalMs)
      return
    }
    const { retryAfterMs } = error.details
    this.#runAfter(this.#backoff.next(typeof retryAfterMs === 'number' ? retryAfterMs : 0))
  }

  #runAfter(delayMs: number): void {
    this.#cancelTimer()
    if (!this.#automatic) return
    this.#cancelTimer = this.#options.timers.after(delayMs, () => this.#runSilently('asked'))
  }

  #runSoon(): void {
    this.#cancelTimer()
    if (!this.#automatic) return
    let isCancelled = false
    this.#cancelTimer = () => {
      isCancelled = true
    }
    void this.#options.turn().then(() => {
      if (!isCancelled) this.#runSilently('woken')
    })
  }

  /** Failures were told by `onFailure`; a broken invariant stays an unhandled rejection. */
  #runSilently(reason: CycleReason): void {
    if (this.#running !== undefined) {
      this.#dueWhileRunning = true
      return
    }
    this.#begin(reason).catch((error) => {
      if (!isEntiDBError(error)) throw error
    })
  }
}
