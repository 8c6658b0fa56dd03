// docs/benchmarks.md, as text. What stands between the two marks is written by people and kept.
import { formatNumber } from '../../figures.mjs'
import { isVariant, OURS, PEERS, SHARED_STRUCTURES } from '../engines.mjs'
import { judge, ratioOverSharedStructures } from '../goals.mjs'
import { depthGrowth, judgeGrowth } from '../scale.mjs'
import { costUnitOf, rowNamed } from '../tables.mjs'
import { ROW_NAMES } from '../workloads.mjs'
import { METHOD } from './method.mjs'

const NOTES_BEGIN = '<!-- notes: kept by the run -->'
const NOTES_END = '<!-- end of notes -->'
const COLUMNS = [OURS, ...PEERS, SHARED_STRUCTURES]

const WORDS = new Map([
  [true, 'holds'],
  [false, '**no**'],
  [undefined, '-'],
])

/** `previous`: the page so far, for its notes. */
export function formatPage({ rows, scale }, previous) {
  const measured = ROW_NAMES.filter((name) => rows[name] !== undefined)
  return [
    '# Benchmarks of the store',
    'Written by `npm run bench -- store --write-docs`; do not edit it but between the marks of the notes.',
    '## Figures',
    figuresTable(measured, rows),
    'Medians, and in brackets the least and the most of the rounds.',
    'What has to be reached, ours over theirs:',
    verdictsTable(measured, rows),
    '![How many times better EntiDB is than each peer](benchmarks.svg)',
    ...otherEngines(measured, rows),
    '## By number of entities',
    ...scaleSection(scale),
    '## Notes',
    `${NOTES_BEGIN}\n${notesOf(previous)}\n${NOTES_END}`,
    METHOD,
    '## Runs',
    runsTable(measured, rows),
  ]
    .join('\n\n')
    .concat('\n')
}

function table(header, lines) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...lines.map(line)].join('\n')
}

function figuresTable(names, rows) {
  const lines = names.map((name) => {
    const row = rowNamed(name)
    const cells = COLUMNS.map((engine) => cell(rows[name].engines[engine], row))
    return [`\`${name}\` ${row.title}, ${row.unit}`, ...cells]
  })
  return table(['row', ...COLUMNS], lines)
}

function cell(figures, { digits = 0 }) {
  if (figures === undefined) return '-'
  const [median, min, max] = [figures.median, figures.min, figures.max].map((value) =>
    formatNumber(value, digits),
  )
  return `**${median}** (${min} to ${max})`
}

function mediansOf({ engines }) {
  return new Map(Object.entries(engines).map(([name, { median }]) => [name, median]))
}

function verdictsTable(names, rows) {
  const lines = names.flatMap((name) => {
    const medians = mediansOf(rows[name])
    const structures = ratioOverSharedStructures(medians)
    const busy = rows[name].busyMachine ? ', busy' : ''
    return judge(rowNamed(name), medians).map(({ wanted, measured, holds }) => [
      ...[`\`${name}\``, wanted, measured + busy, WORDS.get(holds)],
      structures === undefined ? '-' : `${structures.toFixed(2)} x`,
    ])
  })
  return table(['row', 'wanted', 'measured', '', 'over lmdb-structs'], lines)
}

/** Limits of the disk, and variants of engines: figures without a verdict. */
function otherEngines(names, rows) {
  const lines = names.flatMap((name) =>
    Object.entries(rows[name].engines)
      .filter(([engine]) => !COLUMNS.includes(engine))
      .map(([engine, figures]) => [
        ...[`\`${name}\``, engine, cell(figures, rowNamed(name)), rowNamed(name).unit],
        isVariant(engine) ? 'for comparison' : 'limit of the disk',
      ]),
  )
  return lines.length === 0 ? [] : [table(['row', 'engine', 'figure', '', ''], lines)]
}

function scaleSection(scale) {
  if (scale === undefined)
    return ['Not measured yet: `npm run bench -- store --scale --write-docs`.']
  const sizes = sizesOf(scale)
  const names = ROW_NAMES.filter((name) => scale[name] !== undefined)
  const lines = names.flatMap((name) =>
    Object.entries(scale[name].costs).map(([engine, costs]) => {
      const growth = costs[sizes.at(-1)] / costs[sizes[0]]
      return [
        ...[`\`${name}\``, engine, costUnitOf(rowNamed(name))],
        ...sizes.map((size) => formatNumber(costs[size], costs[size] < 100 ? 2 : 0)),
        ...[growth.toFixed(2), WORDS.get(judgeGrowth(rowNamed(name), engine, growth, sizes))],
      ]
    }),
  )
  return [
    `What one operation costs. A tree of the last size is ${depthGrowth(sizes).toFixed(2)} times as deep as one of the first: costs are to grow no faster.`,
    table(
      ['row', 'engine', 'cost', ...sizes.map((size) => formatNumber(size)), 'growth', ''],
      lines,
    ),
    '![How the cost of one operation grows](benchmarks-scale.svg)',
    runsTable(names, scale),
  ]
}

/** The sizes of the rows, which are the same in all. */
export function sizesOf(scale) {
  const [{ costs }] = Object.values(scale)
  const [bySize] = Object.values(costs)
  return Object.keys(bySize).map(Number)
}

function runsTable(names, rows) {
  const lines = names.map((name) => {
    const { date, commit, rounds, entities, machine, busyMachine } = rows[name]
    const load = busyMachine ? 'busy' : ''
    const size = entities === undefined ? 'all sizes' : formatNumber(entities)
    return [`\`${name}\``, date, commit, String(rounds), size, machine, load]
  })
  return table(['row', 'date', 'commit', 'rounds', 'entities', 'machine', ''], lines)
}

function notesOf(previous) {
  const begin = previous.indexOf(NOTES_BEGIN)
  const end = previous.indexOf(NOTES_END)
  if (begin === -1 || end === -1) return ''
  return previous.slice(begin + NOTES_BEGIN.length, end).trim()
}
