// The process of one engine in one workload. argv[2]: the task as JSON, from rounds.mjs.
import { report } from '../report.mjs'
import { fill } from './fill.mjs'
import { suiteNamed } from './suites.mjs'
import { Timer } from './timer.mjs'

const LOAD_TRANSACTION_ENTITIES = 100_000

const task = JSON.parse(process.argv[2])
const suite = await suiteNamed(task.suite)
const { engines } = suite
const workload = suite.workloadNamed(task.workload)
const { open: openAdapter } = await engines.load(task.engine)
const timer = new Timer(task)

async function open(directory = task.directory) {
  const engine = await openAdapter(directory, { cacheBytes: task.cacheBytes })
  if (engines.isLimit(task.engine)) return engine
  suite.assertEngine(engine)
  if (engines.isVolatile(task.engine) && workload.place !== 'empty') await fillAll(engine)
  return engine
}

/** A peer that hangs must not take the figures of all others with it. */
function endAfter(minutes) {
  if (minutes === undefined) return
  const end = () => {
    report({ unfinishedAfterMinutes: minutes })
    process.exit(0)
  }
  setTimeout(end, minutes * 60_000).unref()
}

const fillAll = (engine) => fill(engine, task.count, LOAD_TRANSACTION_ENTITIES)

/** No workload: the database of the workloads that need one. */
async function load() {
  const engine = await open()
  await fillAll(engine)
  await engine.close()
  return {}
}

if (workload !== undefined) endAfter(suite.minutesMost)
const effort = engines.effortOf(task.engine, task.effort)
const run = workload?.run ?? load
report({ figures: await run({ ...task, effort, timer, open }), ...timer.notes })
