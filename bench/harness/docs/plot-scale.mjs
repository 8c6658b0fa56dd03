// How the cost of one of our operations grows with the number of entities, beside a tree's depth.
import { formatNumber } from '../../figures.mjs'
import { OURS } from '../line-up.mjs'
import { sizesOf } from './page.mjs'
import { circle, legend, line, svg, text } from './svg.mjs'

const COLORS = [
  '#1f77b4',
  '#d62728',
  '#2ca02c',
  '#9467bd',
  '#8c564b',
  '#e377c2',
  '#17becf',
  '#bcbd22',
]
const DEPTH_COLOR = '#999'
const TICKS = [0.25, 0.5, 1, 2, 4, 8]
const CAPTION = 'Cost of one operation, as a multiple of that at the first size'
const LEFT = 60
const RIGHT = 560
const TOP = 20
const BOTTOM = 320

export function plotScale(suite, scale) {
  const sizes = sizesOf(scale)
  const xOf = (size) => {
    const share = Math.log(size / sizes[0]) / Math.log(sizes.at(-1) / sizes[0])
    return LEFT + share * (RIGHT - LEFT)
  }
  const curves = Object.entries(scale)
    .map(([name, { costs }]) => [name, costs[OURS]])
    .filter(([name, costs]) => isCost(suite.rowNamed(name)) && costs !== undefined)
    .map(([name, costs], k) => ({
      name,
      color: COLORS[k % COLORS.length],
      points: sizes.map((size) => ({ x: xOf(size), y: yOf(costs[size] / costs[sizes[0]]) })),
    }))
  const depth = {
    name: 'depth of a tree',
    color: DEPTH_COLOR,
    points: sizes.map((size) => ({ x: xOf(size), y: yOf(Math.log(size) / Math.log(sizes[0])) })),
  }
  const all = [{ ...depth, width: 5 }, ...curves]
  return svg({ title: CAPTION, width: RIGHT + 170, height: BOTTOM + 50 }, [
    ...TICKS.flatMap((tick) => [
      line({ x: LEFT, y: yOf(tick) }, { x: RIGHT, y: yOf(tick) }, tick === 1 ? '#333' : '#ddd'),
      text(`${tick} x`, { x: LEFT - 8, y: yOf(tick) + 4, anchor: 'end' }),
    ]),
    ...sizes.map((size) =>
      text(formatNumber(size), { x: xOf(size), y: BOTTOM + 18, anchor: 'middle' }),
    ),
    ...all.flatMap(curve),
    ...legend(all, { x: RIGHT + 20, y: TOP + 20, down: 22 }),
    text(CAPTION, {
      x: LEFT,
      y: BOTTOM + 40,
    }),
  ])
}

/** Not the space that all entities take. */
function isCost({ isTimed = true }) {
  return isTimed
}

function yOf(growth) {
  const [first, last] = [TICKS[0], TICKS.at(-1)]
  const share = Math.log(Math.min(last, Math.max(first, growth)) / first) / Math.log(last / first)
  return BOTTOM - share * (BOTTOM - TOP)
}

function curve({ points, color, width = 2 }) {
  return points.flatMap((point, k) => {
    const next = points[k + 1]
    return [...(next === undefined ? [] : [line(point, next, color, width)]), circle(point, color)]
  })
}
