// `npm run sim [-- --seeds 1000] [--first 1] [--seed S] [--replay FILE]`: simulates devices, server, disks and
// network. A seed that fails prints the command that repeats it, and is shortened to a history that a
// person can read; its plan is kept in a file for `--replay`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { drawPlan, explore, runPlan, shrinkPlan, tokenNotes } from '@entidb/testing'
import { mutants } from './sim-mutants/mutants.mjs'
import { MutatedPackages } from './sim-mutants/mutated-packages.mjs'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    shrink: { type: 'boolean', default: true },
    mutants: { type: 'boolean', default: false },
    exhaustive: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
})

const USAGE = `npm run sim -- [options]
  --seeds N        how many seeds (1000)
  --first S        the first of them (1)
  --seed S         only this one, with its event log
  --replay FILE    only the plan in this file, with its event log
  --no-shrink      leave failures as long as they are
  --mutants        known bugs, one by one: which seed notices each
  --exhaustive     every interleaving of two devices that edit and sync once, with one lost answer or crash anywhere
`
const PLANS = 'sim-failures'
const application = tokenNotes({ notes: 4, accounts: 3, twins: 2 })
const isTerminal = process.stdout.isTTY === true

function showProgress(done, total, failed, startedMs) {
  const seconds = (performance.now() - startedMs) / 1000
  const text = `${done} of ${total} seeds, ${failed} failed, ${Math.round((done / seconds) * 60)} a minute`
  if (isTerminal) {
    const width = 30
    const full = Math.round((done / total) * width)
    process.stdout.write(`\r[${'='.repeat(full)}${' '.repeat(width - full)}] ${text} `)
  } else if (done % 100 === 0 || done === total) console.log(text)
}

async function showFailure({ plan, failure, log }) {
  if (isTerminal) console.log()
  console.log(`seed ${plan.seed} fails: ${failure.message}`)
  console.log(`  npm run sim -- --seed ${plan.seed}`)
  if (!values.shrink) return
  const { name } = failure
  const short = await shrinkPlan(plan, application, { isSame: (error) => error.name === name })
  mkdirSync(PLANS, { recursive: true })
  const file = `${PLANS}/seed-${plan.seed}.json`
  writeFileSync(file, `${JSON.stringify(short.plan, null, 1)}\n`)
  const { steps, faults = [] } = short.plan
  console.log(`  shortened from ${log.length} events to ${short.log.length}:`)
  console.log(`  ${steps.length} steps, ${faults.length} faults: npm run sim -- --replay ${file}`)
  console.log(short.log.map((line) => `    ${line}`).join('\n'))
}

async function runOne(plan) {
  const { log, failure, events, virtualMs } = await runPlan(plan, application)
  console.log(log.join('\n'))
  console.log(`${events} events in ${(virtualMs / 1000).toFixed(1)} virtual seconds`)
  if (failure === undefined) console.log('ok')
  else {
    console.log(failure.stack)
    process.exitCode = 1
  }
}

async function runMany(first, count) {
  const startedMs = performance.now()
  let failed = 0
  for (let done = 0; done < count; ) {
    const result = await runPlan(drawPlan(first + done, application), application)
    done++
    if (result.failure !== undefined) {
      failed++
      await showFailure(result)
    }
    showProgress(done, count, failed, startedMs)
  }
  if (isTerminal) console.log()
  if (failed > 0) process.exitCode = 1
}

/** Every mutant, as a row of the table in docs/simulator.md. */
async function runMutants() {
  const packages = new MutatedPackages()
  let survivors = 0
  for (const { name, hazard, seedsMax, edits } of mutants) {
    const found = await packages.firstFailure(edits, seedsMax)
    if (found === null) survivors++
    const seed = found === null ? 'survives' : found.seed
    console.log(`| ${hazard} | ${name} | ${seedsMax} | ${seed} |`)
  }
  packages.remove()
  console.log(`${mutants.length - survivors} of ${mutants.length} noticed`)
  if (survivors > 0) process.exitCode = 1
}

const SCOPES = [
  ['edit', 'edit'],
  ['editTwo', 'edit'],
  ['edit', 'remove'],
  ['transfer', 'transfer'],
]

async function runExhaustively() {
  const small = tokenNotes({ notes: 1, accounts: 2, twins: 1 })
  for (const actions of SCOPES) {
    const scope = { actions, resolver: 'union', faultsMax: 1 }
    const { runs, isComplete, failure } = await explore(scope, small)
    console.log(`${actions.join(' and ')}: ${runs} runs${isComplete ? ', all there are' : ''}`)
    if (failure === undefined) continue
    console.log(failure.log.join('\n'))
    console.log(`fails: ${failure.error.message}; choices ${failure.choices.join()}`)
    process.exitCode = 1
  }
}

if (values.help) console.log(USAGE)
else if (values.mutants) await runMutants()
else if (values.exhaustive) await runExhaustively()
else if (values.replay !== undefined) await runOne(JSON.parse(readFileSync(values.replay, 'utf8')))
else if (values.seed !== undefined) await runOne(drawPlan(Number(values.seed), application))
else await runMany(Number(values.first), Number(values.seeds))
