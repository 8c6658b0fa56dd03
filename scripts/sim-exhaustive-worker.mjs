// A thread of `npm run sim -- --exhaustive`: makes the run that begins with the choices it is given.
import { parentPort } from 'node:worker_threads'
import { smallNotes, tryChoices } from '@entidb/testing'

parentPort.on('message', async ({ scope, choices }) => {
  const { branches, share, outcome, failure, ...trial } = await tryChoices(
    scope,
    smallNotes,
    choices,
  )
  const hasFailed = failure !== undefined
  const isRedundant = outcome === undefined && !hasFailed
  parentPort.postMessage({ branches, share, isRedundant, hasFailed, choices: trial.choices })
})
