import { expect, test } from 'vitest'
import { tokenNotes } from '../application/token-notes.ts'
import { drawPlan } from '../plan/draw-plan.ts'
import type { Step } from '../plan/plan.ts'
import { runPlan } from './run-plan.ts'

test('steps: a device gets the files of two others at once -> it goes on with the last', async () => {
  const application = tokenNotes({ notes: 2, accounts: 2, twins: 1 })
  const { config } = drawPlan(1, application)
  const steps = ['d1', 'd3'].map(
    (from): Step => ({ atMs: 0, kind: 'clone', device: 'd2', from, forMs: 100 }),
  )
  const trio = {
    ...config,
    devices: 3,
    versions: [1, 1, 1],
    resolvers: ['union', 'union', 'union'],
  }
  const { failure } = await runPlan({ seed: 1, config: trio, steps, faults: [] }, application)
  expect(failure).toBeUndefined()
})
