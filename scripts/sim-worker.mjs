// A thread of `npm run sim`: runs the seeds that it is given, and tells of each whether it failed.
import { parentPort } from 'node:worker_threads'
import { drawPlan, runPlan } from '@entidb/testing'
import { application } from './sim-application.mjs'

parentPort.on('message', async ({ seed, profile }) => {
  const { failure } = await runPlan(drawPlan(seed, application, { profile }), application)
  parentPort.postMessage({ seed, hasFailed: failure !== undefined })
})
