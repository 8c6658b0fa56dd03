// The same rows at three sizes: what one operation costs, and whether that grows faster than the depth
// of a tree, which is the logarithm of the number of entities.
import { median } from '../figures.mjs'
import { OURS } from './line-up.mjs'
import { runRounds } from './rounds.mjs'
import { costOf } from './suite.mjs'

const SIZES = [10_000, 100_000, 1_000_000]

/** How much deeper a tree of the last size is than one of the first. */
export function depthGrowth(sizes) {
  return Math.log(sizes.at(-1)) / Math.log(sizes[0])
}

/**
 * Whether the cost of one operation grew no faster than the depth; undefined for peers, and for figures
 * that are no cost of an operation.
 */
export function judgeGrowth({ isTimed = true }, engine, growth, sizes) {
  return isTimed && engine === OURS ? growth <= depthGrowth(sizes) : undefined
}

/** `{ sizes, rounds, rows: [{ row, engine, costs, growth }] }`; costs in the order of the sizes. */
export async function runScale(suite, options) {
  const { sizes, rows, engines } = scaleSettings(suite, options)
  const samplesBySize = []
  for (const count of sizes) {
    const counts = { usual: count }
    samplesBySize.push(await runRounds(suite, { ...options, rows, engines, counts }))
  }
  const measured = rows
    .map((name) => suite.rowNamed(name))
    .flatMap((row) =>
      engines.flatMap((engine) => {
        const figures = samplesBySize.map((samples) =>
          samples.figuresOf(row.name, [engine]).get(engine),
        )
        if (figures.includes(undefined)) return []
        const costs = figures.map((values, k) => costOf(row, median(values), sizes[k]))
        return [{ row: row.name, engine, costs, growth: costs.at(-1) / costs[0] }]
      }),
    )
  return { sizes, rounds: options.rounds, rows: measured }
}

function scaleSettings({ scalingRowNames, scalePeer }, { rows, engines, quick }) {
  return {
    sizes: quick ? SIZES.slice(0, 2) : SIZES,
    rows: scalingRowNames.filter((name) => rows.includes(name)),
    engines: engines ?? [OURS, scalePeer],
  }
}
