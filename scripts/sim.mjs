// `npm run sim [-- --seeds 1000] [--first 1] [--seed S] [--profile P] [--replay FILE] [--exhaustive]`: simulates devices,
// server, disks and network. A seed that fails prints the command that repeats it, and is shortened to a history that a
// person can read; its plan is kept in a file for `--replay`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { drawPlan, PLAN_PROFILES, runPlan, shrinkPlan } from '@entidb/testing'
import { application } from './sim-application.mjs'
import { runExhaustively } from './sim-exhaustive.mjs'
import { mutants } from './sim-mutants/mutants.mjs'
import { MutatedPackages } from './sim-mutants/mutated-packages.mjs'
import { endProgress, showProgress } from './sim-progress.mjs'
import { forEachThread } from './sim-threads.mjs'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    profile: { type: 'string', default: 'ordinary' },
    replay: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    shrink: { type: 'boolean', default: true },
    mutants: { type: 'boolean', default: false },
    exhaustive: { type: 'boolean', default: false },
    scope: { type: 'string' },
    faults: { type: 'string', default: 'all' },
    'at-most': { type: 'string', default: '1' },
    resolver: { type: 'string', default: 'union' },
    choices: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
})

const USAGE = `npm run sim -- [options]
  --seeds N        how many seeds (1000)
  --first S        the first of them (1)
  --seed S         only this one, with its event log
  --profile P      plans that are heavy in something: ${PLAN_PROFILES.join(', ')} (ordinary)
  --replay FILE    only the plan in this file, with its event log
  --jobs N         how many at once (as many as there are cores)
  --no-shrink      leave failures as long as they are
  --mutants        known bugs, one by one: which seed notices each
  --exhaustive     every interleaving of two devices that edit and sync once, with one lost answer or crash anywhere

  with --exhaustive:
  --scope A,B      only with these actions of the two devices: edit,edit
  --faults F       what may happen: all (lost,device,server), losses (serverRestore,deviceRestore,
                   purge), some of those, or none (all)
  --at-most N      faults in a run (1)
  --resolver R     union, keepLocal, takeRemote, defer or none (union)
  --choices 0,1,1  only the run with these choices, with its event log
`
const PLANS = 'sim-failures'
/** Numbers, and the least of each. */
const NUMBERS = { seeds: 1, first: 0, seed: 0, jobs: 1 }

/** Of no seeds, or without threads, nothing fails. */
for (const [name, least] of Object.entries(NUMBERS)) {
  const text = values[name]
  if (text === undefined || (/^\d+$/.test(text) && Number(text) >= least)) continue
  console.error(`--${name} is a whole number from ${least}, not ${text}`)
  process.exit(2)
}

const { profile } = values
if (!PLAN_PROFILES.includes(profile)) throw new RangeError(`there is no profile ${profile}`)
const isOrdinary = profile === 'ordinary'

async function showFailure(seed) {
  const drawn = drawPlan(seed, application, { profile })
  const { plan, failure, log } = await runPlan(drawn, application)
  console.log(`seed ${seed} fails: ${failure.message}`)
  console.log(`  npm run sim --${isOrdinary ? '' : ` --profile ${profile}`} --seed ${seed}`)
  if (!values.shrink) return
  const { name } = failure
  const short = await shrinkPlan(plan, application, { isSame: (error) => error.name === name })
  mkdirSync(PLANS, { recursive: true })
  const file = `${PLANS}/${isOrdinary ? '' : `${profile}-`}seed-${seed}.json`
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
  await forEachThread('sim-worker.mjs', Math.min(jobs, count), async (run) => {
    while (begun < count) {
      const { seed, hasFailed } = await run({ seed: first + begun++, profile })
      done++
      if (hasFailed) {
        failed.push(seed)
        endProgress()
        console.log(`seed ${seed} fails; it is shortened when all were run`)
      }
      const perMinute = Math.round((done / (performance.now() - startedMs)) * 60_000)
      const text = `${done} of ${count} seeds, ${failed.length} failed, ${perMinute} a minute`
      showProgress(done / count, text)
    }
  })
  endProgress()
  console.log(`${count} seeds, ${failed.length} failed`)
  for (const seed of failed.sort((a, b) => a - b)) await showFailure(seed)
  if (failed.length > 0) process.exitCode = 1
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

if (values.help) console.log(USAGE)
else if (values.mutants) await runMutants(Number(values.jobs))
else if (values.exhaustive) process.exitCode = (await runExhaustively(values)) ? 0 : 1
else if (values.replay !== undefined) await runOne(JSON.parse(readFileSync(values.replay, 'utf8')))
else if (values.seed !== undefined)
  await runOne(drawPlan(Number(values.seed), application, { profile }))
else await runMany(Number(values.first), Number(values.seeds), Number(values.jobs))
