/** Actions write in every way that a transaction has; what was made on what is known of each. */
import { versionOf } from '@entidb/core'
import type { ConflictResolver } from '@entidb/sync'
import { expect, test } from 'vitest'
import { type Action, defineApplication } from '../application/application.ts'
import { act, calmWorld, takeRemote, things } from '../application/small-application.test-kit.ts'
import type { Step } from '../plan/plan.ts'
import { runPlan } from '../run/run-plan.ts'

type Things = typeof things

async function failureOf(
  actions: Readonly<Record<string, Action<Things>>>,
  steps: readonly Step[],
  resolver: ConflictResolver = takeRemote,
): Promise<string | undefined> {
  const application = defineApplication({
    collections: things,
    async setUp(tx) {
      await tx.collection('things').put({ id: 'x', by: 'setUp' })
    },
    actions,
    resolvers: { only: resolver },
    decide: takeRemote,
  })
  const { failure } = await runPlan({ seed: 1, config: calmWorld, steps, faults: [] }, application)
  return failure?.message
}

/** Two entities at once. */
const pair: Action<Things> = {
  async run(tx, { unique }) {
    await tx.collection('things').putMany([
      { id: 'x', by: unique },
      { id: 'y', by: unique },
    ])
  },
}

test.each<[string, Action<Things>]>([
  [
    'update',
    {
      async run(tx) {
        await tx.collection('things').update('x', (thing) => ({ ...thing }))
      },
    },
  ],
  [
    'putMany',
    {
      async run(tx) {
        await tx.collection('things').putMany(await tx.collection('things').find({}))
      },
    },
  ],
])('action: %s to the same content meets a transaction -> an edit of its own', async (_, touch) => {
  const steps: readonly Step[] = [
    { atMs: 3_000, kind: 'partition', device: 'd2', forMs: 5_000 },
    act(4_000, 'd2', 'touch'),
    act(4_000, 'd1', 'pair'),
  ]
  expect(await failureOf({ touch, pair }, steps)).toBeUndefined()
})

test('action: writes anew what a conflict was merged to -> an edit of its own', async () => {
  const edit: Action<Things> = {
    async run(tx, { unique }) {
      await tx.collection('things').put({ id: 'x', by: unique })
    },
  }
  const touch: Action<Things> = {
    async run(tx) {
      const thing = await tx.collection('things').get('x')
      if (thing !== undefined) await tx.collection('things').put(thing)
    },
  }
  const merging: ConflictResolver = {
    resolve: (local, remote) => ({
      type: 'merge',
      entity: { id: 'x', by: `${local.entity?.by}+${remote.entity?.by}` },
    }),
  }
  const steps: readonly Step[] = [
    { atMs: 3_000, kind: 'partition', device: 'd2', forMs: 3_000 },
    act(4_000, 'd1', 'edit'),
    act(4_000, 'd2', 'edit'),
    { atMs: 20_000, kind: 'partition', device: 'd2', forMs: 3_000 },
    act(21_000, 'd1', 'pair'),
    act(21_000, 'd2', 'touch'),
  ]
  expect(await failureOf({ edit, touch, pair }, steps, merging)).toBeUndefined()
})

test('action: saves late, on a version -> it is known what of', async () => {
  const open: Action<Things> = {
    async run(tx, { forms }) {
      const thing = await tx.collection('things').first({})
      if (thing !== undefined) forms.set('form', thing)
    },
  }
  const save: Action<Things> = {
    async run(tx, { forms, unique }) {
      const basedOn = versionOf(forms.get('form'))
      await tx.collection('things').put({ id: 'x', by: unique }, { basedOn })
    },
  }
  const edit: Action<Things> = {
    async run(tx, { unique }) {
      await tx.collection('things').put({ id: 'x', by: unique })
    },
  }
  const steps = [
    act(3_000, 'd2', 'open'),
    act(4_000, 'd1', 'edit'),
    act(20_000, 'd2', 'save'),
    act(30_000, 'd1', 'edit'),
  ]
  expect(await failureOf({ open, save, edit }, steps)).toBeUndefined()
})
