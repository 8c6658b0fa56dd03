// `npm run bench [-- load | sync | codec]`: ours and the peers interleaved in one run, each engine in a
// process of its own; medians and ratios.
import { cpus } from 'node:os'
import { bulkLoad } from './bulk-load.mjs'
import { codec } from './codec.mjs'
import { firstSync } from './first-sync.mjs'
import { installPeers } from './processes.mjs'

const suites = { load: bulkLoad, sync: firstSync, codec }
const chosen = process.argv.slice(2)
const unknown = chosen.find((name) => !(name in suites))
if (unknown !== undefined) {
  console.error(`no benchmark '${unknown}'; there are: ${Object.keys(suites).join(', ')}`)
  process.exit(2)
}
installPeers()
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`)
for (const [name, suite] of Object.entries(suites)) {
  if (chosen.length === 0 || chosen.includes(name)) await suite()
}
