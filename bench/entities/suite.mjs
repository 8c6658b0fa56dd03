// `npm run bench -- entities`: collections, indexes and queries beside those of peers, on disk and in memory.
import { Suite } from '../harness/suite.mjs'
import { assertEngine } from './contract.mjs'
import { ENTITY_ENGINES } from './engines.mjs'
import { METHOD } from './method.mjs'
import { equal } from './workloads/equal.mjs'
import { filter } from './workloads/filter.mjs'
import { liveCommit, liveCommitInMemory } from './workloads/live-commit.mjs'
import { liveDiff } from './workloads/live-diff.mjs'
import { lookup } from './workloads/lookup.mjs'
import { newest, newestOfFew, newestOfMany } from './workloads/newest.mjs'
import { range } from './workloads/range.mjs'

const EFFORT = {
  equals: 25,
  ranges: 500,
  lookups: 200_000,
  pages: 10_000,
  scanned: 500_000,
  liveBatches: 20,
  liveCommits: 100,
  liveCommitsInMemory: 2000,
  liveChanges: 2000,
}

export const suite = new Suite({
  name: 'entities',
  engines: ENTITY_ENGINES,
  workloads: [
    ...[equal, range, lookup],
    ...[newest, newestOfFew, newestOfMany],
    filter,
    ...[liveCommit, liveCommitInMemory, liveDiff],
  ],
  assertEngine,
  efforts: {
    usual: EFFORT,
    quick: {
      equals: 2,
      ranges: 5,
      lookups: 500,
      pages: 50,
      scanned: 10_000,
      liveBatches: 2,
      liveCommits: 10,
      liveCommitsInMemory: 50,
      liveChanges: 50,
    },
    // Few entities are read before a process is warm: sizes would not compare.
    scale: { ...EFFORT, equals: 50, scanned: 1_000_000 },
  },
  sizes: { small: 10_000, large: 1_000_000 },
  scalePeer: 'better-sqlite3',
  page: { file: 'benchmarks-entities', title: 'Benchmarks of entities', method: METHOD },
})
