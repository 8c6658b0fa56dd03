// How long the event loop stood, and how much of that V8's garbage collector had.
import { PerformanceObserver, performance } from 'node:perf_hooks'

/** Shorter turns are not looked into. */
const TURN_MS_LEAST = 5

export class LoopWatch {
  #turns = []
  #pauses = []
  #isOn = false
  #lastTurn = 0
  #observer = new PerformanceObserver((list) => this.#pauses.push(...list.getEntries()))

  begin() {
    this.#observer.observe({ entryTypes: ['gc'] })
    this.#isOn = true
    this.#lastTurn = performance.now()
    setImmediate(this.#turn)
  }

  /** In milliseconds: the longest turn, the longest pause, the longest turn less the pauses in it. */
  async end() {
    this.#isOn = false
    // Pauses are told of in a turn of their own.
    await new Promise((resolve) => setTimeout(resolve, 50))
    this.#observer.disconnect()
    const most = (values) => Math.max(0, ...values)
    return {
      longest: most(this.#turns.map(({ start, end }) => end - start)),
      collector: most(this.#pauses.map(({ duration }) => duration)),
      rest: most(this.#turns.map((turn) => turn.end - turn.start - this.#collectorMsIn(turn))),
    }
  }

  #collectorMsIn({ start, end }) {
    const within = ({ startTime, duration }) =>
      Math.max(0, Math.min(end, startTime + duration) - Math.max(start, startTime))
    return this.#pauses.reduce((sum, pause) => sum + within(pause), 0)
  }

  #turn = () => {
    const now = performance.now()
    if (now - this.#lastTurn >= TURN_MS_LEAST) this.#turns.push({ start: this.#lastTurn, end: now })
    this.#lastTurn = now
    if (this.#isOn) setImmediate(this.#turn)
  }
}
