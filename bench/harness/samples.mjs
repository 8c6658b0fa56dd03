// What was measured: figures by row and engine, one a round.
import { median } from '../figures.mjs'

/** A process that waited for a core longer than this share of its measured time tells little of its engine. */
const WAITED_MOST = 0.15

export class Samples {
  /** Row name -> engine -> `{ value, disturbed }` by round. */
  #byRow = new Map()
  #profiles = new Map()
  #unfinished = []

  /** `waited`: the share of the measured time in which the process was ready, but no core was free. */
  add({ name: workload, rows }, engine, { figures, waited, profile }) {
    for (const { name, isTimed = true } of rows) {
      if (figures[name] === undefined) continue
      const byEngine = this.#byRow.get(name) ?? new Map()
      const sample = { value: figures[name], disturbed: isTimed && waited > WAITED_MOST }
      byEngine.set(engine, [...(byEngine.get(engine) ?? []), sample])
      this.#byRow.set(name, byEngine)
    }
    if (profile !== undefined) this.#profiles.set(`${workload}, ${engine}`, profile)
  }

  /** Engine -> figures, of the undisturbed rounds only unless `isDisturbed`; in the order of `engines`. */
  figuresOf(row, engines) {
    const byEngine = this.#byRow.get(row) ?? new Map()
    const takesAll = this.isDisturbed(row)
    const usable = (samples) => samples.filter(({ disturbed }) => takesAll || !disturbed)
    return new Map(
      engines
        .filter((name) => byEngine.has(name))
        .map((name) => [name, usable(byEngine.get(name)).map(({ value }) => value)]),
    )
  }

  /**
   * Whether some engine had no undisturbed round. Then all rounds of all count: the quiet rounds of one
   * beside the disturbed ones of another would flatter it.
   */
  isDisturbed(row) {
    return [...(this.#byRow.get(row)?.values() ?? [])].some((samples) =>
      samples.every(({ disturbed }) => disturbed),
    )
  }

  /** It was ended after so long: that round has no figure of it. */
  addUnfinished({ rows }, engine, minutes) {
    this.#unfinished.push({ rows: rows.map(({ name }) => name), engine, minutes })
  }

  /** `{ engine, minutes }` of each round of a row that an engine did not finish. */
  unfinishedIn(row) {
    return this.#unfinished
      .filter(({ rows }) => rows.includes(row))
      .map(({ engine, minutes }) => ({ engine, minutes }))
  }

  /** `workload, engine` -> the profile of the last round. */
  get profiles() {
    return this.#profiles
  }
}

/** `{ median, min, max }` of one engine's rounds. */
export function summaryOf(figures) {
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures) }
}
