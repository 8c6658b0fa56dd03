// `npm run bench -- store` and its like: ours beside its peers, row by row of the suite's page in docs.
import { fileURLToPath } from 'node:url'
import { writeDocs } from './docs/write-docs.mjs'
import { OURS } from './line-up.mjs'
import { createProgress } from './progress.mjs'
import { runRounds } from './rounds.mjs'
import { runScale } from './scale.mjs'
import { formatProfile, formatRow, formatScale, formatVerdicts } from './tables.mjs'

export async function runSuite(suite, options) {
  const progress = createProgress(process.stderr)
  const settings = { ...options, progress: progress.show }
  if (options.scale) {
    const scale = await runScale(suite, settings)
    progress.clear()
    console.log(formatScale(suite, scale))
    if (options.writesDocs) tell(writeDocs(suite, { scale }, options))
    return
  }
  // A profile of a peer's JavaScript says nothing about ours.
  const engines = options.profile ? (options.engines ?? [OURS]) : options.engines
  const samples = await runRounds(suite, { ...settings, engines })
  progress.clear()
  for (const row of options.rows) console.log(`\n${formatRow(suite, row, samples)}`)
  console.log(`\n${formatVerdicts(suite, options.rows, samples)}`)
  for (const [title, profile] of samples.profiles) {
    console.log(`\n${title}: self time\n${formatProfile(profile)}`)
  }
  if (options.writesDocs) tell(writeDocs(suite, { samples }, options))
}

function tell(page) {
  console.log(`\nwritten: ${fileURLToPath(page)}`)
}
