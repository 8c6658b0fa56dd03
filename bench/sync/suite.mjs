// `npm run bench -- sync`: sync over loopback, real processes, stores on both ends, beside the stacks of peers.
import { Suite } from '../harness/suite.mjs'
import { assertEngine } from './contract.mjs'
import { SYNC_ENGINES } from './engines.mjs'
import { METHOD } from './method.mjs'
import { converge } from './workloads/converge.mjs'
import { firstSync, firstSyncOfFew, memoryOfMany } from './workloads/first-sync.mjs'
import { live } from './workloads/live.mjs'
import { push } from './workloads/push.mjs'
import { readWait } from './workloads/read-wait.mjs'
import { wire, wireCompressed } from './workloads/wire.mjs'

const EFFORT = { edits: 2000, conflicts: 5000 }

export const suite = new Suite({
  name: 'sync',
  engines: SYNC_ENGINES,
  workloads: [
    ...[firstSync, firstSyncOfFew],
    ...[readWait, push, live, converge],
    ...[wire, wireCompressed],
    memoryOfMany,
  ],
  assertEngine,
  minutesMost: 5,
  efforts: {
    usual: EFFORT,
    quick: { edits: 20, conflicts: 200 },
    scale: EFFORT,
  },
  sizes: { small: 20_000, large: 1_000_000 },
  scalePeer: 'pouchdb',
  page: { file: 'benchmarks-sync', title: 'Benchmarks of sync', method: METHOD },
})
