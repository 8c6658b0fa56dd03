// The workloads in the order they run, and the rows of the table that come out of them.
//
// A workload measures one engine in one process:
//   name        its own
//   rows        `{ name, title, unit, digits, lessIsBetter, isTimed, cost, goals }` of each figure it yields
//   withLimits  whether the limits of the disk take part
//   variants    engines that take part for comparison only
//   place       the database it gets: 'empty'; 'unchanged', all entities, to be read only; or a 'copy' of it
//   isLarge     whether it is of 5 million entities
//   run(task)   the figures by row name; throws when a result is wrong
//
// `task`: `{ engine, directory, count, round, effort, timer, open }`. `goals` are the least acceptable
// figures: `over` another engine (or `best peer`) by a ratio of at `least` or at `most`, or absolutely.
import { bulk } from './workloads/bulk.mjs'
import { concurrent, single } from './workloads/commits.mjs'
import { get, getLarge } from './workloads/get.mjs'
import { memory } from './workloads/memory.mjs'
import { open, openLarge } from './workloads/open.mjs'
import { range } from './workloads/range.mjs'
import { scan } from './workloads/scan.mjs'
import { update } from './workloads/update.mjs'

export const WORKLOADS = [
  ...[bulk, memory, open, get, range, scan],
  ...[single, concurrent, update],
  ...[openLarge, getLarge],
]

export const LONG_ROWS = [openLarge, getLarge].flatMap(namesOfRows)

/** In the order of the printed tables. */
export const ROWS = WORKLOADS.flatMap(({ rows }) => rows)

export const ROW_NAMES = ROWS.map(({ name }) => name)

/** Workloads that yield one of these rows. */
export function workloadsFor(rowNames) {
  return WORKLOADS.filter((workload) =>
    namesOfRows(workload).some((name) => rowNames.includes(name)),
  )
}

function namesOfRows({ rows }) {
  return rows.map(({ name }) => name)
}

/** What one operation costs: microseconds for a rate. */
export function costOf({ cost }, value, count) {
  return cost === undefined ? 1e6 / value : cost.of(value, count)
}
