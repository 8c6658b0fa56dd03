// How many times better ours is than each peer, row by row, on a logarithmic axis.
import { OURS } from '../line-up.mjs'
import { circle, legend, line, svg, text } from './svg.mjs'

const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
const CAPTION =
  'How many times better EntiDB is. Bars: what has to be reached over the best peer, the limit or SQLite.'
const LEFT = 130
const WIDTH = 760
const TOP = 50
const ROW_HEIGHT = 28
const LEGEND_STEP = 125

export function plotRatios(suite, rows) {
  const shown = shownEngines(suite)
  const names = suite.rowNames.filter((name) => rows[name]?.engines[OURS] !== undefined)
  const bottom = TOP + names.length * ROW_HEIGHT
  const width = Math.max(WIDTH, LEFT + shown.length * LEGEND_STEP)
  const colored = shown.map((name) => ({ name, color: suite.engines.colorOf(name) }))
  const parts = [
    ...axis(bottom),
    ...names.flatMap((name, k) => {
      const row = suite.rowNamed(name)
      const isGoal = (engine) => row.goals.some(({ over }) => over === engine)
      const taking = colored.filter(
        (engine) => !suite.engines.isLimit(engine.name) || isGoal(engine.name),
      )
      return dots(row, rows[name].engines, taking, TOP + (k + 0.5) * ROW_HEIGHT)
    }),
    ...legend(colored, { x: LEFT, y: 20, step: LEGEND_STEP }),
    text(CAPTION, { x: LEFT, y: bottom + 36 }),
  ]
  return svg({ title: CAPTION, width: width + 20, height: bottom + 48 }, parts)
}

/** The engines with columns, and the limits that a goal is over. */
function shownEngines({ engines, rows }) {
  const limits = engines.names.filter(
    (name) =>
      engines.isLimit(name) && rows.some(({ goals }) => goals.some(({ over }) => over === name)),
  )
  return [...engines.columns.filter((name) => name !== OURS), ...limits]
}

function xOf(ratio) {
  const [first, last] = [TICKS[0], TICKS.at(-1)]
  const share = Math.log(Math.min(last, Math.max(first, ratio)) / first) / Math.log(last / first)
  return LEFT + share * (WIDTH - LEFT)
}

function axis(bottom) {
  return TICKS.flatMap((tick) => [
    line({ x: xOf(tick), y: TOP }, { x: xOf(tick), y: bottom }, tick === 1 ? '#333' : '#ddd'),
    text(`${tick} x`, { x: xOf(tick), y: bottom + 16, anchor: 'middle' }),
  ])
}

/** A dot for each engine, and a bar where the least acceptable ratio over the best peer is. */
function dots(row, engines, colored, y) {
  const ours = engines[OURS].median
  const betterBy = (theirs) => (row.lessIsBetter ? theirs / ours : ours / theirs)
  return [
    text(row.name, { x: LEFT - 10, y: y + 4, anchor: 'end' }),
    ...row.goals.flatMap(({ over, least, most }) => {
      if (over === undefined) return []
      const x = xOf(least ?? 1 / most)
      return [line({ x, y: y - 9 }, { x, y: y + 9 }, '#333', 3)]
    }),
    ...colored.flatMap(({ name, color }) =>
      engines[name] === undefined
        ? []
        : [circle({ x: xOf(betterBy(engines[name].median)), y }, color)],
    ),
  ]
}
