// The page of a suite, as text. What stands between the two marks is written by people and kept.
import { formatNumber } from '../../figures.mjs'
import { judge, ratioOver } from '../goals.mjs'
import { depthGrowth, judgeGrowth } from '../scale.mjs'
import { costUnitOf } from '../suite.mjs'
import { unfinished } from '../tables.mjs'

const NOTES_BEGIN = '<!-- notes: kept by the run -->'
const NOTES_END = '<!-- end of notes -->'

const WORDS = new Map([
  [true, 'holds'],
  [false, '**no**'],
  [undefined, '-'],
])

/** `previous`: the page so far, for its notes. */
export function formatPage(suite, { rows, scale, profiles = {} }, previous) {
  const { name, page } = suite
  const measured = suite.rowNames.filter((row) => rows[row] !== undefined)
  return [
    `# ${page.title}`,
    `Written by \`npm run bench -- ${name} --write-docs\`; do not edit it but between the marks of the notes.`,
    '## Figures',
    figuresTable(suite, measured, rows),
    'Medians, and in brackets the least and the most of the rounds.',
    ...unfinishedRounds(measured, rows),
    'What has to be reached, ours over theirs:',
    verdictsTable(suite, measured, rows),
    `![How many times better EntiDB is than each peer](${page.file}.svg)`,
    ...otherEngines(suite, measured, rows),
    '## By number of entities',
    ...scaleSection(suite, scale),
    ...profilesSection(suite, profiles),
    '## Notes',
    `${NOTES_BEGIN}\n${notesOf(previous)}\n${NOTES_END}`,
    page.method,
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

function figuresTable(suite, names, rows) {
  const { columns } = suite.engines
  const lines = names.map((name) => {
    const row = suite.rowNamed(name)
    const cells = columns.map((engine) => cell(rows[name].engines[engine], row))
    return [`\`${name}\` ${row.title}, ${row.unit}`, ...cells]
  })
  return table(['row', ...columns], lines)
}

function cell(figures, { digits = 0 }) {
  if (figures === undefined) return '-'
  const [median, min, max] = [figures.median, figures.min, figures.max].map((value) =>
    formatNumber(value, digits),
  )
  return `**${median}** (${min} to ${max})`
}

function unfinishedRounds(names, rows) {
  const lines = names.flatMap((name) =>
    (rows[name].unfinished ?? []).map((round) => `- \`${name}\`: ${unfinished(round)}.`),
  )
  return lines.length === 0 ? [] : [[...new Set(lines)].join('\n')]
}

/** Row name -> engine -> median. */
function mediansIn(rows) {
  return (name) =>
    new Map(
      Object.entries(rows[name]?.engines ?? {}).map(([engine, { median }]) => [engine, median]),
    )
}

function verdictsTable(suite, names, rows) {
  const { beside, peers } = suite.engines
  const mediansOf = mediansIn(rows)
  const lines = names.flatMap((name) => {
    const overBeside = ratioOver(mediansOf(name), beside)
    const busy = rows[name].busyMachine ? ', busy' : ''
    return judge(suite.rowNamed(name), mediansOf, peers).map(({ wanted, measured, holds }) => [
      ...[`\`${name}\``, wanted, measured + busy, WORDS.get(holds)],
      ...(beside === undefined
        ? []
        : [overBeside === undefined ? '-' : `${overBeside.toFixed(2)} x`]),
    ])
  })
  const last = beside === undefined ? [] : [`over ${beside}`]
  return table(['row', 'wanted', 'measured', '', ...last], lines)
}

/** Limits of the machine, and variants of engines: figures without a verdict. */
function otherEngines(suite, names, rows) {
  const { engines } = suite
  const lines = names.flatMap((name) =>
    Object.entries(rows[name].engines)
      .filter(([engine]) => !engines.columns.includes(engine))
      .map(([engine, figures]) => [
        ...[`\`${name}\``, engine, cell(figures, suite.rowNamed(name)), suite.rowNamed(name).unit],
        engines.isVariant(engine) ? 'for comparison' : 'what the machine allows',
      ]),
  )
  return lines.length === 0 ? [] : [table(['row', 'engine', 'figure', '', ''], lines)]
}

function scaleSection(suite, scale) {
  if (scale === undefined)
    return [`Not measured yet: \`npm run bench -- ${suite.name} --scale --write-docs\`.`]
  const sizes = sizesOf(scale)
  const names = suite.rowNames.filter((name) => scale[name] !== undefined)
  const lines = names.flatMap((name) =>
    Object.entries(scale[name].costs).map(([engine, costs]) => {
      const growth = costs[sizes.at(-1)] / costs[sizes[0]]
      return [
        ...[`\`${name}\``, engine, costUnitOf(suite.rowNamed(name))],
        ...sizes.map((size) => formatNumber(costs[size], costs[size] < 100 ? 2 : 0)),
        ...[growth.toFixed(2), WORDS.get(judgeGrowth(suite.rowNamed(name), engine, growth, sizes))],
      ]
    }),
  )
  return [
    `What one operation costs. A tree of the last size is ${depthGrowth(sizes).toFixed(2)} times as deep as one of the first: costs are to grow no faster.`,
    table(
      ['row', 'engine', 'cost', ...sizes.map((size) => formatNumber(size)), 'growth', ''],
      lines,
    ),
    `![How the cost of one operation grows](${suite.page.file}-scale.svg)`,
    runsTable(names, scale),
  ]
}

/** Where the time goes, workload by workload: of the measured time, in the main thread. */
function profilesSection({ name: suite }, profiles) {
  const lines = Object.entries(profiles).map(([name, { date, commit, parts, functions }]) => [
    `\`${name}\``,
    parts.map(({ part, share }) => `${part} ${percent(share)}`).join(', '),
    functions.map(({ name: each, share }) => `\`${each}\` ${percent(share)}`).join(', '),
    `${date}, ${commit}`,
  ])
  if (lines.length === 0) return []
  return [
    '## Profiles',
    `Shares of the measured time of our engine's main thread, each function's own (\`npm run bench -- ${suite} --profile\`).`,
    table(['row', 'parts', 'functions', 'run'], lines),
  ]
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`
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
