// Puts the figures of a run into docs/benchmarks.json, and makes docs/benchmarks.md and its plots of all that
// the file holds. A run replaces the rows it measured; the others keep their date and commit.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem, type } from 'node:os'
import { ENGINE_NAMES } from '../engines.mjs'
import { summaryOf } from '../samples.mjs'
import { formatPage } from './page.mjs'
import { plotRatios } from './plot-ratios.mjs'
import { plotScale } from './plot-scale.mjs'

const docs = new URL('../../../docs/', import.meta.url)
const file = (name) => new URL(name, docs)

/** Of a run by rounds (`samples`) or of one by sizes (`scale`). Returns the URL of the page. */
export function writeDocs({ samples, scale }, options) {
  const figures = existsSync(file('benchmarks.json'))
    ? JSON.parse(readFileSync(file('benchmarks.json'), 'utf8'))
    : { rows: {} }
  const run = { date: today(), commit: commit(), rounds: options.rounds, machine: machine() }
  if (samples !== undefined) {
    for (const name of options.rows) {
      const measured = [...samples.figuresOf(name, ENGINE_NAMES)].map(roundedSummary)
      figures.rows[name] = {
        ...run,
        ...(samples.isDisturbed(name) ? { busyMachine: true } : {}),
        entities: name.endsWith('-large') ? options.largeCount : options.count,
        engines: Object.fromEntries(measured),
      }
    }
  }
  if (scale !== undefined) {
    figures.scale ??= {}
    for (const [name, costs] of Object.entries(scaleFigures(scale))) {
      figures.scale[name] = { ...run, costs }
    }
  }
  const page = file('benchmarks.md')
  const notes = existsSync(page) ? readFileSync(page, 'utf8') : ''
  writeFileSync(file('benchmarks.json'), `${JSON.stringify(figures, null, 2)}\n`)
  writeFileSync(file('benchmarks.svg'), plotRatios(figures.rows))
  if (figures.scale !== undefined)
    writeFileSync(file('benchmarks-scale.svg'), plotScale(figures.scale))
  writeFileSync(page, formatPage(figures, notes))
  return page
}

function roundedSummary([engine, values]) {
  const { median, min, max } = summaryOf(values)
  return [engine, { median: rounded(median), min: rounded(min), max: rounded(max) }]
}

/** Row -> engine -> size -> cost: objects, which a formatter leaves as they are. */
function scaleFigures({ sizes, rows }) {
  const costs = {}
  for (const { row, engine, costs: values } of rows) {
    costs[row] ??= {}
    costs[row][engine] = Object.fromEntries(sizes.map((size, k) => [size, rounded(values[k])]))
  }
  return costs
}

function rounded(value) {
  return Number(value.toPrecision(4))
}

function today() {
  return new Date().toISOString().slice(0, 10)
}

/** With a plus when the packages are not as they were committed. */
function commit() {
  const git = (...args) =>
    spawnSync('git', args, { cwd: docs, encoding: 'utf8' }).stdout?.trim() ?? ''
  const changed = git('status', '--porcelain', '--', '../packages') !== ''
  return `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${changed ? '+' : ''}`
}

function machine() {
  const memory = Math.round(totalmem() / 1024 ** 3)
  const cores = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`
  return `${cores}, ${memory} GiB, ${type()}, Node ${process.version}`
}
