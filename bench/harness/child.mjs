// The process of one engine in one workload. argv[2]: the task as JSON, from rounds.mjs.
import { report } from '../report.mjs'
import { assertEngine } from './contract.mjs'
import { isLimit, loadEngine } from './engines.mjs'
import { fill } from './fill.mjs'
import { Timer } from './timer.mjs'
import { WORKLOADS } from './workloads.mjs'

const LOAD_TRANSACTION_ENTITIES = 100_000

const task = JSON.parse(process.argv[2])
const { open: openAdapter } = await loadEngine(task.engine)
const timer = new Timer(task)

async function open(directory = task.directory) {
  const engine = await openAdapter(directory, { cacheBytes: task.cacheBytes })
  return isLimit(task.engine) ? engine : assertEngine(engine)
}

/** No workload: the database of the workloads that need one. */
async function load() {
  const engine = await open()
  await fill(engine, task.count, LOAD_TRANSACTION_ENTITIES)
  await engine.close()
  return {}
}

const run = WORKLOADS.find(({ name }) => name === task.workload)?.run ?? load
report({ figures: await run({ ...task, timer, open }), ...timer.notes })
