// Puts the figures of a run into docs, and makes the page of the suite and its plots of all that the file of
// figures holds. A run replaces the rows it measured; the others keep their date and commit.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem, type } from 'node:os'
import { summaryOf } from '../samples.mjs'
import { formatPage } from './page.mjs'
import { plotRatios } from './plot-ratios.mjs'
import { plotScale } from './plot-scale.mjs'

const docs = new URL('../../../docs/', import.meta.url)

/** Of a run by rounds (`samples`) or of one by sizes (`scale`). Returns the URL of the page. */
export function writeDocs(suite, { samples, scale }, options) {
  const file = (ending) => new URL(suite.page.file + ending, docs)
  const figures = existsSync(file('.json'))
    ? JSON.parse(readFileSync(file('.json'), 'utf8'))
    : { rows: {} }
  const run = { date: today(), commit: commit(), rounds: options.rounds, machine: machine() }
  if (options.profile) figures.profiles = { ...figures.profiles, ...profilesOf(samples, run) }
  else if (samples !== undefined) {
    for (const name of options.rows) {
      const measured = [...samples.figuresOf(name, suite.engines.names)].map(roundedSummary)
      if (measured.length === 0) continue
      const unfinished = samples.unfinishedIn(name)
      figures.rows[name] = {
        ...run,
        ...(samples.isDisturbed(name) ? { busyMachine: true } : {}),
        ...(unfinished.length > 0 ? { unfinished } : {}),
        entities: options.counts[suite.workloadOf(name).size ?? 'usual'],
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
  const page = file('.md')
  const previous = existsSync(page) ? readFileSync(page, 'utf8') : ''
  writeFileSync(file('.json'), `${JSON.stringify(figures, null, 2)}\n`)
  writeFileSync(file('.svg'), plotRatios(suite, figures.rows))
  if (figures.scale !== undefined)
    writeFileSync(file('-scale.svg'), plotScale(suite, figures.scale))
  writeFileSync(page, formatPage(suite, figures, previous))
  return page
}

/** By workload. Shares of less than this are not told. */
const SHARE_LEAST = 0.015

function profilesOf(samples, { date, commit, machine }) {
  const told = (list) =>
    list
      .filter(({ share }) => share >= SHARE_LEAST)
      .map(({ share, ms: _, ...rest }) => ({ ...rest, share: rounded(share) }))
  return Object.fromEntries(
    [...samples.profiles].map(([title, { functions, parts }]) => [
      title.split(',')[0],
      { date, commit, machine, functions: told(functions), parts: told(parts) },
    ]),
  )
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
