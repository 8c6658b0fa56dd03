/**
 * What a server clears away, beside its requests: superseded rows of the oplog, tombstones, records of operations,
 * silent devices and old conflicts. All of it in small transactions, which leave most of the time to requests; each leaves
 * the database as the rules want it, so that it may stop, or crash, after any of them.
 */
import type { Logger } from '../logger.ts'
import type { Timers } from '../timers.ts'
import type { ServerReader, ServerTransaction } from './collections.ts'
import { compactStep } from './compaction.ts'
import { type DeviceSurvey, surveyDevices } from './device-survey.ts'
import { forgetAcceptedOps, forgetConflicts, forgetDevices, setBackSeen } from './forget.ts'
import { GiveWay } from './give-way.ts'
import type { KnownTotals } from './known-totals.ts'
import { readMeta } from './meta.ts'
import { isDue, purgeStep } from './purge.ts'
import type { Resyncs } from './resyncs.ts'
import { type SeenDevices, storeSightings } from './seen-devices.ts'

export interface HousekeepingOptions {
  readonly read: <T>(work: (reader: ServerReader) => Promise<T>) => Promise<T>
  readonly write: <T>(work: (tx: ServerTransaction) => Promise<T>) => Promise<T>
  readonly seen: SeenDevices
  readonly resyncs: Resyncs
  readonly totals: KnownTotals
  readonly retentionMs: number
  readonly clock: () => number
  readonly timers: Timers
  readonly logger: Logger
}

/** What one round of housekeeping removed. */
export interface HousekeepingReport {
  /** Rows of the oplog that newer ones superseded. */
  readonly compactedOps: number
  readonly purgedTombstones: number
}

/** From a request to the look whether there is something to do. */
const LOOK_AFTER_MS = 2_000
/** Least time between two rounds. */
const ROUND_MS = 10_000
/** `lastSeenAt` may lag this much, as long as there is nothing else to do. */
const SEEN_LAG_MS = 60_000
const SIGHTINGS_MAX = 1_000
/** Devices that were silent for longer are caught up with by compaction. */
const LIVE_MS = 24 * 60 * 60 * 1000
/** Rows of the oplog that are worth a round: this many, and this part of the live entities. */
const SUPERSEDED_MIN = 1_000
const SUPERSEDED_PART = 0.1
/** With more superseded rows than this, and than live entities, compaction waits for no device. */
const SUPERSEDED_HELD_MAX = 100_000
/** Operations decided since the last round that make one worth it. */
const DECIDED_MIN = 10_000
/** What a database that is closed for another one may still take: somebody may wait for its place. */
const FINISH_MS = 200

export class Housekeeping {
  readonly #options: HousekeepingOptions
  #stopTimer: (() => void) | undefined
  #round: Promise<HousekeepingReport> | undefined
  #looking: Promise<void> | undefined
  #stopped = false
  /** Callers of `run` that wait. */
  #asked = 0
  /** Ends the pause in hand. */
  #resume: () => void = () => {}
  #decided = 0
  readonly #giveWay: GiveWay
  /** Of the last round; undefined before the first, which is due at once. */
  #roundAtMs: number | undefined
  #storedSeenAtMs: number

  constructor(options: HousekeepingOptions) {
    this.#options = options
    this.#giveWay = new GiveWay(options.clock)
    this.#storedSeenAtMs = options.clock()
  }

  /** There was a request, which decided so many operations: looks after a while whether something is to be done. */
  nudge(decided = 0): void {
    this.#decided += decided
    this.#giveWay.noteRequest()
    if (this.#stopped || this.#stopTimer !== undefined) return
    this.#stopTimer = this.#options.timers.set(() => {
      this.#stopTimer = undefined
      void this.#look()
    }, LOOK_AFTER_MS)
  }

  /** Clears all that may be cleared now, whether or not it is worth it yet, and without pauses. */
  async run(): Promise<HousekeepingReport> {
    this.#asked++
    this.#resume()
    try {
      // One in hand looked at the database before.
      await this.#round?.catch(() => {})
      return await this.#runRound()
    } finally {
      this.#asked--
    }
  }

  /**
   * Does what the next look would, without pauses and for a short time: there is none when the database is closed first. One
   * that is always closed that early would never be cleared.
   */
  async finish(): Promise<void> {
    const isAtWork = this.#round !== undefined || this.#looking !== undefined
    if (this.#stopTimer === undefined && !isAtWork) return
    const stopTimer = this.#options.timers.set(() => {
      this.#stopped = true
    }, FINISH_MS)
    this.#asked++
    this.#resume()
    await this.#round?.catch(() => {})
    await this.#look()
    this.#asked--
    stopTimer()
  }

  /** Ends after the step in hand, and nothing is written any more then. What was noted of devices is stored. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#stopTimer?.()
    this.#resume()
    await this.#looking
    await this.#round?.catch(() => {})
    await this.#storeSeen().catch((error: unknown) => this.#warn(error))
  }

  #runRound(): Promise<HousekeepingReport> {
    this.#round ??= this.#clear().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  #look(): Promise<void> {
    this.#looking ??= this.#doWhatIsDue().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** That it fails must not stop anyone from reading; a database that cannot write any more says so to pushes. */
  async #doWhatIsDue(): Promise<void> {
    try {
      if (await this.#isWorthIt()) await this.#runRound()
      else if (this.#isSeenOld()) await this.#storeSeen()
    } catch (error) {
      this.#warn(error)
    }
  }

  #warn(error: unknown): void {
    this.#options.logger.warn({ error }, 'housekeeping failed')
  }

  #isSeenOld(): boolean {
    const { seen, clock } = this.#options
    const lagMs = Math.abs(clock() - this.#storedSeenAtMs)
    return seen.count > 0 && (lagMs >= SEEN_LAG_MS || seen.count >= SIGHTINGS_MAX)
  }

  async #isWorthIt(): Promise<boolean> {
    const { read, totals, clock, retentionMs } = this.#options
    if (this.#roundAtMs === undefined) return true
    if (Math.abs(clock() - this.#roundAtMs) < ROUND_MS) return false
    if (this.#decided >= DECIDED_MIN) return true
    return read(async (reader) => {
      const meta = await readMeta(reader)
      const { superseded = 0 } = meta
      const { liveEntities } = await totals.read(reader, meta)
      if (superseded >= Math.max(SUPERSEDED_MIN, liveEntities * SUPERSEDED_PART)) return true
      const oldest = await reader.collection('tombstones').first({})
      return oldest !== undefined && isDue(oldest, clock(), retentionMs)
    })
  }

  async #storeSeen(): Promise<void> {
    const { seen, write, clock } = this.#options
    this.#storedSeenAtMs = clock()
    const sightings = seen.take()
    if (sightings.size > 0) await write((tx) => storeSightings(tx, sightings))
  }

  async #clear(): Promise<HousekeepingReport> {
    const { read, clock, retentionMs } = this.#options
    const nowMs = clock()
    this.#roundAtMs = nowMs
    this.#decided = 0
    await this.#storeSeen()
    const times = { nowMs, retentionMs, liveMs: LIVE_MS }
    const survey = await surveyDevices(read, times, this.#pauseAfterEach())
    const compactedOps = await this.#compact(survey)
    const purgedTombstones = await this.#purge(survey, nowMs)
    await this.#forget(survey, nowMs)
    return { compactedOps, purgedTombstones }
  }

  async #compact(survey: DeviceSurvey): Promise<number> {
    const { read, totals } = this.#options
    const horizon = await read(async (reader) => {
      const meta = await readMeta(reader)
      const { head, superseded = 0 } = meta
      const { liveEntities } = await totals.read(reader, meta)
      const isTooMuch = superseded > Math.max(SUPERSEDED_HELD_MAX, liveEntities)
      return isTooMuch ? head : Math.min(head, survey.liveThrough)
    })
    let removed = 0
    await this.#repeat(async (tx) => {
      const step = await compactStep(tx, horizon)
      removed += step.removed
      return step.hasMore
    })
    return removed
  }

  async #purge({ activeThrough }: DeviceSurvey, nowMs: number): Promise<number> {
    const { retentionMs, resyncs } = this.#options
    let purged = 0
    await this.#repeat(async (tx) => {
      const seenThrough = Math.min(activeThrough, resyncs.toldThrough(nowMs))
      const step = await purgeStep(tx, { nowMs, retentionMs, seenThrough })
      purged += step.purged
      return step.hasMore
    })
    return purged
  }

  async #forget({ forgetful, idle, ahead }: DeviceSurvey, nowMs: number): Promise<void> {
    const { clock, retentionMs } = this.#options
    const beforeMs = nowMs - retentionMs
    await this.#repeat((tx) => forgetAcceptedOps(tx, forgetful))
    if (idle.length > 0) await this.#repeat((tx) => forgetDevices(tx, idle, beforeMs))
    if (ahead.length > 0) await this.#repeat((tx) => setBackSeen(tx, ahead, nowMs))
    await this.#repeat((tx) => forgetConflicts(tx, beforeMs, clock()))
  }

  /** Each step in a transaction of its own, as long as there is more. */
  async #repeat(step: (tx: ServerTransaction) => Promise<boolean>): Promise<void> {
    const pause = this.#pauseAfterEach()
    while (!this.#stopped && (await this.#options.write(step))) await pause()
  }

  /** To be awaited after each of the steps of which the first begins now. */
  #pauseAfterEach(): () => Promise<void> {
    let startMs = this.#options.clock()
    return async () => {
      await this.#pause(startMs)
      startMs = this.#options.clock()
    }
  }

  /**
   * After a step that began at `startMs`: requests that came meanwhile are read and answered. They are between the steps of a round that was asked for, too,
   * when its commits wait for the disk; but nobody waits for a timer then, which would not keep a process running.
   */
  async #pause(startMs: number): Promise<void> {
    if (this.#stopped || this.#asked > 0) return
    const pauseMs = this.#giveWay.pauseAfter(startMs)
    await new Promise<void>((resolve) => {
      this.#resume = resolve
      this.#options.timers.set(resolve, pauseMs)
    })
  }
}
