// How many times better ours is than each peer, row by row, on a logarithmic axis.
import { OURS, PEERS, SHARED_STRUCTURES } from '../engines.mjs'
import { rowNamed } from '../tables.mjs'
import { ROW_NAMES } from '../workloads.mjs'
import { circle, legend, line, svg, text } from './svg.mjs'

const COLORS = new Map([
  ['better-sqlite3', '#1f77b4'],
  ['lmdb', '#d62728'],
  ['lmdb-structs', '#ff9896'],
  ['classic-level', '#2ca02c'],
  ['limit-overwrite', '#7f7f7f'],
])
const LIMIT = 'limit-overwrite'
const SHOWN = [...PEERS, SHARED_STRUCTURES, LIMIT]
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
const CAPTION =
  'How many times better EntiDB is. Bars: what has to be reached over the best peer, the limit or SQLite.'
const LEFT = 130
const WIDTH = 760
const TOP = 50
const ROW_HEIGHT = 28

export function plotRatios(rows) {
  const names = ROW_NAMES.filter((name) => rows[name]?.engines[OURS] !== undefined)
  const bottom = TOP + names.length * ROW_HEIGHT
  const parts = [
    ...axis(bottom),
    ...names.flatMap((name, k) => dots(name, rows[name].engines, TOP + (k + 0.5) * ROW_HEIGHT)),
    ...legend(
      SHOWN.map((name) => ({ name, color: COLORS.get(name) })),
      { x: LEFT, y: 20, step: 125 },
    ),
    text(CAPTION, {
      x: LEFT,
      y: bottom + 36,
    }),
  ]
  return svg({ title: CAPTION, width: WIDTH + 20, height: bottom + 48 }, parts)
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

/** A dot for each peer, and a bar where the least acceptable ratio over the best one is. */
function dots(name, engines, y) {
  const row = rowNamed(name)
  const ours = engines[OURS].median
  const betterBy = (theirs) => (row.lessIsBetter ? theirs / ours : ours / theirs)
  return [
    text(name, { x: LEFT - 10, y: y + 4, anchor: 'end' }),
    ...row.goals.flatMap(({ over, least, most }) => {
      if (over === undefined) return []
      const x = xOf(least ?? 1 / most)
      return [line({ x, y: y - 9 }, { x, y: y + 9 }, '#333', 3)]
    }),
    ...SHOWN.flatMap((engine) =>
      engines[engine] === undefined ||
      (engine === LIMIT && !row.goals.some(({ over }) => over === LIMIT))
        ? []
        : [circle({ x: xOf(betterBy(engines[engine].median)), y }, COLORS.get(engine))],
    ),
  ]
}
