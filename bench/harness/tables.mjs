// What the run prints. Pure: samples in, text out.
import { formatColumns, formatNumber, formatTable, median } from '../figures.mjs'
import { judge, ratioOver } from './goals.mjs'
import { OURS } from './line-up.mjs'
import { depthGrowth, judgeGrowth } from './scale.mjs'
import { costUnitOf } from './suite.mjs'

const DISTURBED = '(busy machine: an engine waited for a core over 15 % of its time in every round)'

/** Row name -> engine -> median. */
function mediansIn(samples, { names }) {
  return (rowName) => {
    const figures = samples.figuresOf(rowName, names)
    return new Map([...figures].map(([engine, values]) => [engine, median(values)]))
  }
}

/** One row: every engine, and the verdicts. */
export function formatRow(suite, rowName, samples) {
  const { engines } = suite
  const row = suite.rowNamed(rowName)
  const figures = samples.figuresOf(rowName, engines.names)
  const lines = [...figures].map(([name, rates]) => ({ name, rates }))
  const missing = samples.unfinishedIn(rowName).map(unfinished)
  if (lines.length === 0) return [`${rowName}: not measured`, ...missing].join('\n')
  const direction = row.lessIsBetter ? 'less is better' : 'more is better'
  const table = formatTable(lines, {
    heading: row.unit,
    digits: row.digits ?? 0,
    hasOurs: figures.has(row.of ?? OURS),
  })
  const verdicts = judge(row, mediansIn(samples, engines), engines.peers).map(
    ({ wanted, measured, holds }) => `${wanted}: ${measured}, ${wordFor(holds)}`,
  )
  return [
    `${rowName}: ${row.title} (${row.unit}, ${direction})`,
    table,
    ...verdicts,
    ...missing,
    ...(samples.isDisturbed(rowName) ? [DISTURBED] : []),
  ].join('\n')
}

/** Of one round. */
export function unfinished({ engine, minutes }) {
  return `${engine} did not finish a round within ${minutes} minutes and has no figure of it`
}

/** All verdicts of the run, one line each. */
export function formatVerdicts(suite, rowNames, samples) {
  const { beside, peers } = suite.engines
  const mediansOf = mediansIn(samples, suite.engines)
  const lines = rowNames.flatMap((name) => {
    const overBeside = ratioOver(mediansOf(name), beside)
    const busy = samples.isDisturbed(name) ? ', busy machine' : ''
    return judge(suite.rowNamed(name), mediansOf, peers).map(({ wanted, measured, holds }) => [
      ...[name, wanted, measured, `${wordFor(holds)}${busy}`],
      overBeside === undefined ? '' : `${overBeside.toFixed(2)} x`,
    ])
  })
  const last = beside === undefined ? '' : `over ${beside}`
  return formatColumns([['row', 'wanted', 'measured', '', last], ...lines], 4)
}

export function wordFor(holds) {
  if (holds === undefined) return '-'
  return holds ? 'holds' : 'FALLS SHORT'
}

export function formatScale(suite, { sizes, rows }) {
  const header = [
    'row',
    'engine',
    'cost of',
    ...sizes.map((size) => formatNumber(size)),
    'growth',
    '',
  ]
  const lines = rows.map(({ row, engine, costs, growth }) => [
    ...[row, engine, costUnitOf(suite.rowNamed(row))],
    ...costs.map((cost) => formatNumber(cost, cost < 100 ? 2 : 0)),
    ...[growth.toFixed(2), wordFor(judgeGrowth(suite.rowNamed(row), engine, growth, sizes))],
  ])
  const depth = depthGrowth(sizes).toFixed(2)
  return [
    '\ncost of one operation by number of entities',
    formatColumns([header, ...lines], 3),
    `(a tree of the last size is ${depth} times as deep as one of the first: costs are to grow no faster)`,
  ].join('\n')
}

export function formatProfile({ functions, parts }) {
  const lines = functions.map(({ name, place, ms, share }) => [
    ...[name, place],
    ...[ms.toFixed(0), `${(share * 100).toFixed(1)} %`],
  ])
  const shares = parts.map(({ part, share }) => [part, `${(share * 100).toFixed(1)} %`])
  return [
    formatColumns([['function', 'place', 'ms', 'share'], ...lines], 2),
    formatColumns([['part', 'share'], ...shares], 1),
  ].join('\n\n')
}
