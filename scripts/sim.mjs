// `npm run sim [-- --seeds 1000] [--first 1] [--seed S] [--replay FILE]`: simulates devices, server, disks and
// network. A seed that fails prints the command that repeats it, and is shortened to a history that a
// person can read; its plan is kept in a file for `--replay`.
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { drawPlan, explore, runPlan, shrinkPlan, tokenNotes } from '@entidb/testing'
import { application } from './sim-application.mjs'
import { mutants } from './sim-mutants/mutants.mjs'
import { MutatedPackages } from './sim-mutants/mutated-packages.mjs'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
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
  --jobs N         how many at once (as many as there are cores)
  --no-shrink      leave failures as long as they are
  --mutants        known bugs, one by one: which seed notices each
  --exhaustive     every interleaving of two devices that edit and sync once, with one lost answer or crash anywhere
`
const PLANS = 'sim-failures'
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

async function showFailure(seed) {
  const { plan, failure, log } = await runPlan(drawPlan(seed, application), application)
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

async function runMany(first, count, jobs) {
  const startedMs = performance.now()
  const failed = []
  let begun = 0
  let done = 0
  await forEachThread(Math.min(jobs, count), async (run) => {
    while (begun < count) {
      const { seed, hasFailed } = await run(first + begun++)
      done++
      if (hasFailed) {
        failed.push(seed)
        console.log(
          `${isTerminal ? '\n' : ''}seed ${seed} fails; it is shortened when all were run`,
        )
      }
      showProgress(done, count, failed.length, startedMs)
    }
  })
  if (isTerminal) console.log()
  for (const seed of failed.sort((a, b) => a - b)) await showFailure(seed)
  if (failed.length > 0) process.exitCode = 1
}

/** Lets `use` run seeds on each of so many threads. */
async function forEachThread(count, use) {
  const threads = Array.from(
    { length: count },
    () => new Worker(new URL('sim-worker.mjs', import.meta.url)),
  )
  const uses = threads.map((thread) =>
    use(async (seed) => {
      const answer = once(thread, 'message')
      thread.postMessage(seed)
      const [result] = await answer
      return result
    }),
  )
  try {
    await Promise.all(uses)
  } finally {
    for (const thread of threads) await thread.terminate()
  }
}

/** Every mutant, as a row of the table in docs/simulator.md. */
async function runMutants(jobs) {
  const packages = new MutatedPackages()
  const waiting = [...mutants]
  let survivors = 0
  const hunt = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, hazard, seedsMax, edits } = next
      const found = await packages.firstFailure(edits, seedsMax)
      if (found === null) survivors++
      const seed = found === null ? 'survives' : found.seed
      console.log(`| ${hazard} | ${name} | ${seedsMax} | ${seed} |`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, hunt))
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
else if (values.mutants) await runMutants(Number(values.jobs))
else if (values.exhaustive) await runExhaustively()
else if (values.replay !== undefined) await runOne(JSON.parse(readFileSync(values.replay, 'utf8')))
else if (values.seed !== undefined) await runOne(drawPlan(Number(values.seed), application))
else await runMany(Number(values.first), Number(values.seeds), Number(values.jobs))
