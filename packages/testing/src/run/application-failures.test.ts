/** What is wrong with an application is a failure of the run, and says so. */
import type { Resolution } from '@entidb/sync'
import { expect, test } from 'vitest'
import type { Application } from '../application/application.ts'
import { bothEdit, calmWorld, smallApplication } from '../application/small-application.test-kit.ts'
import { runPlan } from './run-plan.ts'

async function failureOf(wrong: object): Promise<Error | undefined> {
  const application = { ...smallApplication, ...wrong } as Application
  const plan = { seed: 1, config: calmWorld, steps: bothEdit, faults: [] }
  return (await runPlan(plan, application)).failure
}

const answering = (resolve: () => unknown) => ({ resolvers: { only: { resolve } } })
const boom = new RangeError('boom')
const throwing = (): never => {
  throw boom
}

test('run: nothing is wrong with the application -> no failure', async () => {
  expect(await failureOf({})).toBeUndefined()
})

test('run: the policy refuses the set-up -> a failure that says so, instead of an empty world', async () => {
  const policy: Application['policy'] = { validate: () => ({ code: 'no', message: 'No' }) }
  expect((await failureOf({ policy }))?.message).toBe('the server refuses what setUp wrote: no')
})

test('run: more entities than it looks at -> a failure that says so, not one about what is missing', async () => {
  const list = Array.from({ length: 10_000 }, (_, i) => ({ id: `x${i}`, by: 'setUp' }))
  const setUp: Application['setUp'] = async (tx) => {
    await tx.collection('things').putMany(list)
  }
  expect((await failureOf({ setUp }))?.message).toContain('10000 entities in things')
})

test.each<[string, object]>([
  ['resolver', answering(throwing)],
  ['asynchronous resolver', answering(() => Promise.reject(boom))],
  ['policy', { policy: { validate: throwing } }],
  ['invariant', { invariant: throwing }],
])('run: the %s throws -> that is the failure', async (_, wrong) => {
  expect(await failureOf(wrong)).toBe(boom)
})

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'Not a resolution: undefined'],
  ['a misspelt type', { type: 'mrege' }, 'Not a resolution: mrege'],
  ['a merge of another entity', { type: 'merge', entity: { id: 'y' } }, 'the id x'],
  ['a merge without an entity', { type: 'merge' }, 'the id x'],
  ['never', new Promise<Resolution>(() => {}), 'took longer than'],
])('run: the resolver answers %s -> a failure that says so', async (_, answer, message) => {
  expect((await failureOf(answering(() => answer)))?.message).toContain(message)
})

test.each<[string, unknown]>([
  ['a promise', Promise.resolve(undefined)],
  ['false', false],
  ['null', null],
])(
  'run: the invariant answers %s -> a TypeError, not what it would be as a text',
  async (_, answer) => {
    expect(await failureOf({ invariant: () => answer })).toBeInstanceOf(TypeError)
  },
)
