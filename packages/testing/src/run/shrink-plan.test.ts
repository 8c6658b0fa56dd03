import { expect, test } from 'vitest'
import { defineApplication } from '../application/application.ts'
import { tokenNotes } from '../application/token-notes.ts'
import { drawPlan } from '../plan/draw-plan.ts'
import { runPlan } from './run-plan.ts'
import { shrinkPlan } from './shrink-plan.ts'

test('shrink: an invariant that one edit breaks -> a plan of one step that breaks it', {
  timeout: 120_000,
}, async () => {
  const notes = tokenNotes({ notes: 2, accounts: 2, twins: 1 })
  const application = defineApplication({
    ...notes,
    invariant: (entities) => ((entities.get('notes') ?? []).length > 0 ? 'a note' : undefined),
  })
  const plan = drawPlan(5, application)
  const long = await runPlan(plan, application)
  expect(long.failure?.message).toBe('a note')
  const short = await shrinkPlan(plan, application, { runsMax: 80 })
  expect(short.failure?.message).toBe('a note')
  expect(short.plan.steps).toHaveLength(1)
})
