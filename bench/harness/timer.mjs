// Takes the time of one piece of work in this process, and how far that time can be trusted.
import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { summarized } from './cpu-profile.mjs'

export class Timer {
  #profiles
  #leavesOutWaiting
  #profile
  #elapsedMs = 0
  #waitedMs = 0

  constructor({ profile = false, withoutWaiting = false } = {}) {
    this.#profiles = profile
    this.#leavesOutWaiting = withoutWaiting
  }

  /** Milliseconds that `work` took. Garbage of the preparation is collected before. */
  async time(work) {
    globalThis.gc?.()
    const profiler = this.#profiles ? await startProfiler() : undefined
    // The waiting is looked up within the time: what happens between the two lines cannot count in one only.
    const start = performance.now()
    const waitedBefore = waitedForCoreMs()
    await work()
    const waitedMs = waitedForCoreMs() - waitedBefore
    const ms = performance.now() - start
    if (profiler !== undefined) this.#profile = await profiler.stop()
    if (this.#leavesOutWaiting) return ms - waitedMs
    this.#waitedMs += waitedMs
    this.#elapsedMs += ms
    return ms
  }

  get notes() {
    return {
      /** Share of the measured time in which the main thread was ready but no core was free. */
      waited: this.#elapsedMs === 0 ? 0 : this.#waitedMs / this.#elapsedMs,
      ...(this.#profile === undefined ? {} : { profile: this.#profile }),
    }
  }
}

/** Of the main thread; 0 where the system does not tell. */
function waitedForCoreMs() {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

async function startProfiler() {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
  return {
    async stop() {
      const { profile } = await session.post('Profiler.stop')
      session.disconnect()
      return summarized(profile)
    },
  }
}
