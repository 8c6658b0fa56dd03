/** `entidb` that says at its end, on stderr, how much memory it took: `maxRssBytes 123`. */
import { runCli } from 'entidb'

// The same as the program's own, which is not exported.
const { processEnvironment } = await import(
  new URL('../../packages/cli/dist/process/process-environment.js', import.meta.url).href
)

// Looked at now and then: what the system has as the most includes what the parent had when it made this process.
let maxRssBytes = 0
const look = () => {
  maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss())
}
setInterval(look, 10).unref()

process.exitCode = await runCli(process.argv.slice(2), processEnvironment())
look()
process.stderr.write(`\nmaxRssBytes ${maxRssBytes}\n`)
