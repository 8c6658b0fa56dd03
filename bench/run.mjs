// `npm run bench [-- load | sync | codec | store]`: ours and the peers interleaved in one run, each engine in
// a process of its own; medians and ratios. What begins with `--` is for the store suite: `store --help`.
import { cpus } from 'node:os'
import { bulkLoad } from './bulk-load.mjs'
import { codec } from './codec.mjs'
import { firstSync } from './first-sync.mjs'
import { installPeers } from './processes.mjs'
import { parseStoreOptions, USAGE } from './store/options.mjs'
import { storeSuite } from './store/suite.mjs'

const suites = {
  load: bulkLoad,
  sync: firstSync,
  codec,
  store: (options) => storeSuite(parseStoreOptions(options)),
}
const { chosen, options } = splitArguments(process.argv.slice(2))
const unknown = chosen.find((name) => !(name in suites))
if (unknown !== undefined)
  fail(`no benchmark '${unknown}'; there are: ${Object.keys(suites).join(', ')}`)
if (options.includes('--help')) {
  console.log(USAGE)
  process.exit(0)
}
if (options.length > 0 && !chosen.includes('store'))
  fail(`only the store suite has options: ${options}`)
try {
  parseStoreOptions(options)
} catch (error) {
  fail(`${error.message}\n${USAGE}`)
}

installPeers()
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`)
for (const [name, suite] of Object.entries(suites)) {
  if (chosen.length === 0 || chosen.includes(name)) await suite(options)
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
