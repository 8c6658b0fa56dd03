// `npm run bench -- store`: the native store beside its peers, row by row of docs/benchmarks.md.
import { fileURLToPath } from 'node:url'
import { writeDocs } from './docs/write-docs.mjs'
import { OURS } from './engines.mjs'
import { createProgress } from './progress.mjs'
import { runRounds } from './rounds.mjs'
import { runScale } from './scale.mjs'
import { formatProfile, formatRow, formatScale, formatVerdicts } from './tables.mjs'

export async function storeSuite(options) {
  const progress = createProgress(process.stderr)
  const settings = { ...options, progress: progress.show }
  if (options.scale) {
    const scale = await runScale(settings)
    progress.clear()
    console.log(formatScale(scale))
    if (options.writesDocs) tell(writeDocs({ scale }, options))
    return
  }
  // A profile of a peer's JavaScript says nothing about ours.
  const engines = options.profile ? [OURS] : options.engines
  const samples = await runRounds({ ...settings, engines })
  progress.clear()
  for (const row of options.rows) console.log(`\n${formatRow(row, samples)}`)
  console.log(`\n${formatVerdicts(options.rows, samples)}`)
  for (const [title, functions] of samples.profiles) {
    console.log(`\n${title}: self time\n${formatProfile(functions)}`)
  }
  if (options.writesDocs) tell(writeDocs({ samples }, options))
}

function tell(page) {
  console.log(`\nwritten: ${fileURLToPath(page)}`)
}
