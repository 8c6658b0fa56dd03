// What the run prints. Pure: samples in, text out.
import { formatColumns, formatNumber, formatTable, median } from '../figures.mjs'
import { ENGINE_NAMES, OURS } from './engines.mjs'
import { judge, ratioOverSharedStructures } from './goals.mjs'
import { depthGrowth, judgeGrowth } from './scale.mjs'
import { ROWS } from './workloads.mjs'

const DISTURBED = '(busy machine: an engine waited for a core over 15 % of its time in every round)'

export function rowNamed(name) {
  return ROWS.find((row) => row.name === name)
}

/** Engine -> median of a row. */
export function mediansOf(rowName, samples) {
  const figures = samples.figuresOf(rowName, ENGINE_NAMES)
  return new Map([...figures].map(([engine, values]) => [engine, median(values)]))
}

/** One row: every engine, and the verdicts. */
export function formatRow(rowName, samples) {
  const row = rowNamed(rowName)
  const figures = samples.figuresOf(rowName, ENGINE_NAMES)
  const lines = [...figures].map(([name, rates]) => ({
    name,
    rates,
  }))
  if (lines.length === 0) return `${rowName}: not measured`
  const direction = row.lessIsBetter ? 'less is better' : 'more is better'
  const table = formatTable(lines, {
    heading: row.unit,
    digits: row.digits ?? 0,
    hasOurs: figures.has(OURS),
  })
  const verdicts = judge(row, mediansOf(rowName, samples)).map(
    ({ wanted, measured, holds }) => `${wanted}: ${measured}, ${wordFor(holds)}`,
  )
  return [
    `${rowName}: ${row.title} (${row.unit}, ${direction})`,
    table,
    ...verdicts,
    ...(samples.isDisturbed(rowName) ? [DISTURBED] : []),
  ].join('\n')
}

/** All verdicts of the run, one line each. */
export function formatVerdicts(rowNames, samples) {
  const lines = rowNames.flatMap((name) => {
    const medians = mediansOf(name, samples)
    const structures = ratioOverSharedStructures(medians)
    const busy = samples.isDisturbed(name) ? ', busy machine' : ''
    return judge(rowNamed(name), medians).map(({ wanted, measured, holds }) => [
      ...[name, wanted, measured, `${wordFor(holds)}${busy}`],
      structures === undefined ? '' : `${structures.toFixed(2)} x`,
    ])
  })
  return formatColumns([['row', 'wanted', 'measured', '', 'over lmdb-structs'], ...lines], 4)
}

export function wordFor(holds) {
  if (holds === undefined) return '-'
  return holds ? 'holds' : 'FALLS SHORT'
}

export function formatScale({ sizes, rows }) {
  const header = [
    'row',
    'engine',
    'cost of',
    ...sizes.map((size) => formatNumber(size)),
    'growth',
    '',
  ]
  const lines = rows.map(({ row, engine, costs, growth }) => [
    ...[row, engine, costUnitOf(rowNamed(row))],
    ...costs.map((cost) => formatNumber(cost, cost < 100 ? 2 : 0)),
    ...[growth.toFixed(2), wordFor(judgeGrowth(rowNamed(row), engine, growth, sizes))],
  ])
  const depth = depthGrowth(sizes).toFixed(2)
  return [
    '\ncost of one operation by number of entities',
    formatColumns([header, ...lines], 3),
    `(a tree of the last size is ${depth} times as deep as one of the first: costs are to grow no faster)`,
  ].join('\n')
}

export function costUnitOf({ cost, unit }) {
  return cost === undefined
    ? `µs/${unit.split('/')[0].replace(/ies$/, 'y').replace(/s$/, '')}`
    : cost.unit
}

export function formatProfile(functions) {
  const lines = functions.map(({ name, place, ms, share }) => [
    ...[name, place],
    ...[ms.toFixed(0), `${(share * 100).toFixed(1)} %`],
  ])
  return formatColumns([['function', 'place', 'ms', 'share'], ...lines], 2)
}
