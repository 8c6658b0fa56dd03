// What was measured: figures by row and engine, one a round.
import { median } from '../figures.mjs'

/** A process that waited for a core longer than this share of its measured time tells little of its engine. */
const WAITED_MOST = 0.15

export class Samples {
  /** Row name -> engine -> `{ value, disturbed }` by round. */
  #byRow = new Map()
  #profiles = new Map()

  /** `waited`: the share of the measured time in which the process was ready, but no core was free. */
  add({ name: workload, rows }, engine, { figures, waited, profile }) {
    for (const { name } of rows) {
      if (figures[name] === undefined) continue
      const byEngine = this.#byRow.get(name) ?? new Map()
      const sample = { value: figures[name], disturbed: waited > WAITED_MOST }
      byEngine.set(engine, [...(byEngine.get(engine) ?? []), sample])
      this.#byRow.set(name, byEngine)
    }
    if (profile !== undefined) this.#profiles.set(`${workload}, ${engine}`, profile)
  }

  /** Engine -> figures of the undisturbed rounds, or of all when there is none; in the order of `engines`. */
  figuresOf(row, engines) {
    const byEngine = this.#byRow.get(row) ?? new Map()
    return new Map(
      engines
        .filter((name) => byEngine.has(name))
        .map((name) => [name, usable(byEngine.get(name))]),
    )
  }

  /** Whether every round of this engine was disturbed. */
  isDisturbed(row, engine) {
    return (
      this.#byRow
        .get(row)
        ?.get(engine)
        ?.every(({ disturbed }) => disturbed) ?? false
    )
  }

  /** `workload, engine` -> functions of the last round. */
  get profiles() {
    return this.#profiles
  }
}

function usable(samples) {
  const quiet = samples.filter(({ disturbed }) => !disturbed)
  return (quiet.length > 0 ? quiet : samples).map(({ value }) => value)
}

/** `{ median, min, max }` of one engine's rounds. */
export function summaryOf(figures) {
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures) }
}
