// Durable commits of one new entity each: one after the other, and by 64 committers at a time.
import { numbersBetween } from '../../harness/checks.mjs'
import { entitiesBetween } from '../../harness/data-set.mjs'
import { assertPut } from '../checks.mjs'
import { isLimit } from '../engines.mjs'

const COMMITTERS = 64
/** A process is warm after some thousand commits. */
const WARM_UP_SHARE = 4
/** Behind all entities that a load can hold. */
const FIRST_NUMBER = 100_000_000

async function commitsPerSecond(task, { commits, warmUpCommits, put }) {
  const engine = await task.open()
  const middle = FIRST_NUMBER + warmUpCommits
  const warmUp = entitiesBetween(FIRST_NUMBER, middle)
  await put(engine, engine.prepare?.(warmUp) ?? warmUp)
  const entities = entitiesBetween(middle, middle + commits)
  const input = engine.prepare?.(entities) ?? entities
  const ms = await task.timer.time(() => put(engine, input))
  if (!isLimit(task.engine)) {
    await assertPut(engine, numbersBetween(middle, middle + commits), entities)
  }
  await engine.close()
  return (commits / ms) * 1000
}

export const single = {
  name: 'single',
  rows: [
    {
      name: 'single',
      title: 'durable single commits, one after the other',
      unit: 'commits/s',
      goals: [
        { over: 'limit-overwrite', least: 0.8 },
        { over: 'best peer', least: 1.5 },
      ],
    },
  ],
  withLimits: true,
  place: 'copy',
  run: async (task) => ({
    single: await commitsPerSecond(task, {
      commits: task.effort.commits,
      warmUpCommits: Math.ceil(task.effort.commits / WARM_UP_SHARE),
      put: (engine, input) => engine.putEach(input),
    }),
  }),
}

export const concurrent = {
  name: 'concurrent',
  rows: [
    {
      name: 'concurrent',
      title: `durable commits, ${COMMITTERS} concurrent committers`,
      unit: 'commits/s',
      goals: [{ over: 'best peer', least: 4 }],
    },
  ],
  withLimits: true,
  place: 'copy',
  run: async (task) => ({
    concurrent: await commitsPerSecond(task, {
      commits: COMMITTERS * task.effort.commitsPerCommitter,
      warmUpCommits: COMMITTERS * Math.ceil(task.effort.commitsPerCommitter / WARM_UP_SHARE),
      put: (engine, input) => engine.putConcurrently(input, COMMITTERS),
    }),
  }),
}
