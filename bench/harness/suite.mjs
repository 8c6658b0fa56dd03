// What a suite is made of; how it runs, prints and writes its page is the same for all.
//
// A workload measures one engine in one process:
//   name        its own
//   rows        `{ name, title, unit, digits, lessIsBetter, isTimed, of, cost, goals }` of each figure it yields
//   engines     those that take part, when it is not the usual ones
//   unlessNamed those that take part when none is named by `--engines`
//   withLimits  whether the limits of the disk take part
//   variants    engines that take part for comparison only
//   place       the database it gets: 'empty'; 'unchanged', all entities, to be read only; or a 'copy' of it
//   size        of how many entities: 'usual' (the default), 'small' or 'large'
//   isLong      runs only when it is asked for
//   scales      false: it measures the same whatever the number of entities
//   run(task)   the figures by row name; throws when a result is wrong
//
// `task`: `{ engine, directory, count, round, effort, timer, open }`. `goals` are the least acceptable
// figures: `over` another engine (or `best peer`, if wanted only
// `among` some), or `overRow`, another row of ours, by a ratio of at `least`
// or at `most`; or absolute. `of` names the variant that is judged instead of ours.

/**
 * @typedef {object} SuiteDefinition
 * @property {string} name Of the suite, and of its folder.
 * @property {import('./line-up.mjs').LineUp} engines
 * @property {object[]} workloads In the order they run.
 * @property {(engine: object) => object} assertEngine Throws when an adapter lacks an operation.
 * @property {number} [minutesMost] A peer that takes longer for a workload is ended and has no figure of it.
 * @property {{ usual: object, quick: object, scale: object }} efforts How much is done to measure once.
 * @property {{ small: number, large: number }} sizes How many entities are few and many.
 * @property {string} scalePeer Beside ours with `--scale`.
 * @property {{ file: string, title: string, method: string }} page `file`: of the page in docs, without its
 *   ending.
 */
export class Suite {
  /** In the order of the printed tables. */
  rows

  /** @param {SuiteDefinition} definition */
  constructor(definition) {
    Object.assign(this, definition)
    this.rows = this.workloads.flatMap(({ rows }) => rows)
  }

  get rowNames() {
    return this.rows.map(({ name }) => name)
  }

  /** Rows that are measured only when asked for. */
  get longRowNames() {
    return this.#namesOf(({ isLong = false }) => isLong)
  }

  /** Rows whose cost can be compared at several sizes. */
  get scalingRowNames() {
    return this.#namesOf(({ size = 'usual', scales = true }) => size === 'usual' && scales)
  }

  rowNamed(name) {
    return this.rows.find((row) => row.name === name)
  }

  workloadNamed(name) {
    return this.workloads.find((workload) => workload.name === name)
  }

  /** The workload that yields a row. */
  workloadOf(rowName) {
    return this.workloads.find(({ rows }) => rows.some(({ name }) => name === rowName))
  }

  /** Workloads that yield one of these rows. */
  workloadsFor(rowNames) {
    return this.workloads.filter(({ rows }) => rows.some(({ name }) => rowNames.includes(name)))
  }

  #namesOf(isWanted) {
    return this.workloads.filter(isWanted).flatMap(({ rows }) => rows.map(({ name }) => name))
  }
}

/** What one operation costs: microseconds for a rate. */
export function costOf({ cost }, value, count) {
  return cost === undefined ? 1e6 / value : cost.of(value, count)
}

/** The unit of `costOf`. */
export function costUnitOf({ cost, unit }) {
  return cost === undefined
    ? `µs/${unit.split('/')[0].replace(/ies$/, 'y').replace(/s$/, '')}`
    : cost.unit
}
