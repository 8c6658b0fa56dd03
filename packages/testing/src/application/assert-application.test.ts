import { expect, test } from 'vitest'
import { drawPlan } from '../plan/draw-plan.ts'
import { runPlan } from '../run/run-plan.ts'
import type { Application } from './application.ts'
import { calmWorld, smallApplication, things } from './small-application.test-kit.ts'

const run = async (): Promise<void> => {}

test.each<[string, object, string]>([
  ['a misspelt name', { invariants: () => undefined }, 'invariants'],
  ['no collections', { collections: {} }, 'collections'],
  ['an action that is a function', { actions: { edit: run } }, 'actions.edit'],
  ['an action that does nothing', { actions: { edit: {} } }, 'actions.edit.run'],
  ['a misspelt weight', { actions: { edit: { wieght: 2, run } } }, 'wieght'],
  ['half a weight', { actions: { edit: { weight: 0.5, run } } }, 'actions.edit.weight'],
  ['no actions', { actions: {} }, 'actions'],
  ['actions that never happen', { actions: { edit: { weight: 0, run } } }, 'actions'],
  ['no resolvers', { resolvers: {} }, 'resolvers'],
  ['a resolver that is a function', { resolvers: { only: run } }, 'resolvers.only'],
  ['a resolver without resolve', { resolvers: { only: {} } }, 'resolvers.only.resolve'],
  ['nobody who decides', { decide: undefined }, 'decide'],
  ['an invariant that is none', { invariant: 'sum' }, 'invariant'],
  ['a version without collections', { later: [{}] }, 'later[0].collections'],
  [
    'a version with an invariant',
    { later: [{ collections: things, invariant: run }] },
    'invariant',
  ],
])('application: %s -> refused by name', (_, wrong, named) => {
  const application = { ...smallApplication, ...wrong } as Application
  expect(() => drawPlan(1, application)).toThrow(TypeError)
  expect(() => drawPlan(1, application)).toThrow(named)
})

test.each([
  ['resolver', { ...calmWorld, resolvers: ['only', 'gone'] }],
  ['version', { ...calmWorld, versions: [1, 2] }],
])('plan: kept from when there was another %s -> refused', async (_, config) => {
  const plan = { seed: 1, config, steps: [], faults: [] }
  await expect(runPlan(plan, smallApplication)).rejects.toThrow(TypeError)
})
