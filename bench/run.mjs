// `npm run bench [-- load | history | codec | stops | store | entities | sync]`: ours and the peers interleaved in one
// run, each engine in a process of its own; medians and ratios. What begins with `--` is for one of the
// suites store, entities and sync (`store --help`), or the sizes of `history`.
import { cpus } from 'node:os'
import { bulkLoad } from './bulk-load.mjs'
import { codec } from './codec.mjs'
import { parseOptions, usageOf } from './harness/options.mjs'
import { runSuite } from './harness/run-suite.mjs'
import { SUITE_NAMES, suiteNamed } from './harness/suites.mjs'
import { history, historyOptions } from './history.mjs'
import { installPeers } from './processes.mjs'
import { stops } from './stops.mjs'

const benchmarks = { load: bulkLoad, history: runHistory, codec, stops }
const names = [...Object.keys(benchmarks), ...SUITE_NAMES]
const { chosen, options } = splitArguments(process.argv.slice(2))
const unknown = chosen.find((name) => !names.includes(name))
if (unknown !== undefined) fail(`no benchmark '${unknown}'; there are: ${names.join(', ')}`)
const suites = await Promise.all(
  SUITE_NAMES.filter((name) => chosen.length === 0 || chosen.includes(name)).map(suiteNamed),
)
if (options.includes('--help')) {
  for (const suite of suites) console.log(usageOf(suite))
  process.exit(0)
}
const isHistoryAlone = chosen.length === 1 && chosen[0] === 'history'
if (options.length > 0 && !isHistoryAlone && (chosen.length !== 1 || suites.length !== 1))
  fail(`options are for one of ${SUITE_NAMES.join(', ')} alone: ${options}`)
const runsOfSuites = suites.map((suite) => [suite, optionsOf(suite)])

installPeers()
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`)
for (const [name, run] of Object.entries(benchmarks)) {
  if (chosen.length === 0 || chosen.includes(name)) await run()
}
for (const [suite, settings] of runsOfSuites) await runSuite(suite, settings)

function runHistory() {
  let sizes
  try {
    sizes = historyOptions(isHistoryAlone ? options : [])
  } catch (error) {
    fail(error.message)
  }
  return history(sizes)
}

function optionsOf(suite) {
  try {
    return parseOptions(suite, options)
  } catch (error) {
    return fail(`${error.message}\n${usageOf(suite)}`)
  }
}

/** Names of suites, up to the first option; options and their values. */
function splitArguments(args) {
  const at = args.findIndex((arg) => arg.startsWith('--'))
  return at === -1
    ? { chosen: args, options: [] }
    : { chosen: args.slice(0, at), options: args.slice(at) }
}

function fail(message) {
  console.error(message)
  process.exit(2)
}
