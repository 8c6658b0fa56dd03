/**
 * Decides when cycles run: one at a time, soon after a wake-up, later after a failure, now and then when
 * nothing happens. Never in a tight loop: a failed cycle is followed by a timer or by silence.
 */
import { type EntiDBError, isEntiDBError } from '@entidb/core'
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, Backoff } from '../backoff.ts'
import type { Timers } from '../environment.ts'
import type { Cycle } from './cycle.ts'
import type { CycleTotals } from './sync-context.ts'

export interface CycleDriverOptions {
  readonly cycle: Cycle
  readonly timers: Timers
  readonly random: () => number
  readonly pollIntervalMs: number
  /** Commits that come close together share a cycle. */
  readonly wakeDelayMs: number
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
  #abort = new AbortController()
  /** A cycle, or a task that keeps cycles away. */
  #running: Promise<unknown> | undefined
  #queued: Promise<CycleTotals> | undefined
  #automatic = false
  #wokenWhileRunning = false
  /** A timer went off meanwhile: nothing else would begin the next cycle. */
  #dueWhileRunning = false
  #cancelTimer: () => void = () => {}

  constructor(options: CycleDriverOptions) {
    this.#options = options
    this.#backoff = new Backoff({
      baseMs: BACKOFF_BASE_MS,
      capMs: BACKOFF_CAP_MS,
      random: options.random,
    })
  }

  /** From now on cycles run by themselves; the first one at once. */
  start(): void {
    if (this.#automatic) return
    this.#automatic = true
    this.#abort = new AbortController()
    this.#options.cycle.call('start')
    this.#runSilently()
  }

  /** Ends the running cycle between two transactions, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#automatic = false
    this.#cancelTimer()
    this.#abort.abort()
    this.#options.cycle.call('stop')
    await Promise.allSettled([this.#running, this.#queued])
  }

  /** As `stop`, but cycles can still be asked for. */
  async pause(): Promise<void> {
    await this.stop()
    this.#abort = new AbortController()
    this.#options.cycle.call('start')
  }

  /** A full cycle that begins after this call. Resets the backoff. */
  run(): Promise<CycleTotals> {
    this.#backoff.reset()
    if (this.#running === undefined) return this.#begin()
    this.#queued ??= this.#afterRunning()
    return this.#queued
  }

  /**
   * Runs `task` while no cycle runs; it runs cycles of its own by calling `cycle`. Its signal is aborted by
   * `stop`, which waits for its end.
   */
  async exclusively<R>(task: (turn: ExclusiveTurn) => Promise<R>): Promise<R> {
    while (this.#running !== undefined) await Promise.allSettled([this.#running])
    const running = task({
      cycle: () => {
        this.#backoff.reset()
        return this.#runCycle()
      },
      signal: this.#abort.signal,
    })
    this.#running = running
    try {
      return await running
    } finally {
      this.#running = undefined
      this.#goOn()
    }
  }

  /** Something is to be pushed or pulled. Does nothing while a failure is being waited out. */
  wake(): void {
    if (!this.#automatic) return
    if (this.#running !== undefined) this.#wokenWhileRunning = true
    else if (this.#options.cycle.state === 'idle') this.#runAfter(this.#options.wakeDelayMs)
  }

  /** The network is back: no reason to wait any longer. */
  online(): void {
    if (!this.#automatic || this.#running !== undefined) return
    this.#backoff.reset()
    this.#runSilently()
  }

  async #afterRunning(): Promise<CycleTotals> {
    // Whoever waited too may have begun first: nothing is awaited between the look and the beginning.
    while (this.#running !== undefined) await Promise.allSettled([this.#running])
    this.#queued = undefined
    return this.#begin()
  }

  /** What woke while cycles were kept away. */
  #goOn(): void {
    const isDue = this.#dueWhileRunning
    const isWoken = this.#wokenWhileRunning && this.#options.cycle.state === 'idle'
    this.#dueWhileRunning = false
    if (isDue || isWoken) this.#runAfter(this.#options.wakeDelayMs)
  }

  #begin(): Promise<CycleTotals> {
    const running = this.#runCycle().finally(() => {
      this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #runCycle(): Promise<CycleTotals> {
    const { cycle, onSuccess, onFailure, wakeDelayMs, pollIntervalMs } = this.#options
    this.#cancelTimer()
    this.#wokenWhileRunning = false
    try {
      const totals = await cycle.run(this.#abort.signal)
      this.#backoff.reset()
      onSuccess(totals)
      this.#runAfter(this.#wokenWhileRunning ? wakeDelayMs : pollIntervalMs)
      return totals
    } catch (error) {
      if (isEntiDBError(error)) {
        onFailure(error)
        this.#runAfterFailure(error)
      } else this.#runAfter(pollIntervalMs)
      throw error
    }
  }

  #runAfterFailure(error: EntiDBError): void {
    const { cycle, pollIntervalMs } = this.#options
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
    this.#cancelTimer = this.#options.timers.after(delayMs, () => this.#runSilently())
  }

  /** Failures were told by `onFailure`; a broken invariant stays an unhandled rejection. */
  #runSilently(): void {
    if (this.#running !== undefined) {
      this.#dueWhileRunning = true
      return
    }
    this.#begin().catch((error) => {
      if (!isEntiDBError(error)) throw error
    })
  }
}
