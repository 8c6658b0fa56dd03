// `npm run bench -- store`: the native store beside its peers.
import { Suite } from '../harness/suite.mjs'
import { assertEngine } from './contract.mjs'
import { STORE_ENGINES } from './engines.mjs'
import { METHOD } from './method.mjs'
import { bulk } from './workloads/bulk.mjs'
import { concurrent, single } from './workloads/commits.mjs'
import { get, getLarge } from './workloads/get.mjs'
import { memory } from './workloads/memory.mjs'
import { open, openLarge } from './workloads/open.mjs'
import { range } from './workloads/range.mjs'
import { scan } from './workloads/scan.mjs'
import { update } from './workloads/update.mjs'

const EFFORT = {
  gets: 500_000,
  ranges: 500,
  scanned: 500_000,
  commits: 8000,
  commitsPerCommitter: 500,
  updates: 20_000,
  bulkWarmUp: 0,
}

export const suite = new Suite({
  name: 'store',
  engines: STORE_ENGINES,
  workloads: [
    ...[bulk, memory, open, get, range, scan],
    ...[single, concurrent, update],
    ...[openLarge, getLarge],
  ],
  assertEngine,
  efforts: {
    usual: EFFORT,
    quick: {
      ...EFFORT,
      gets: 5000,
      ranges: 5,
      scanned: 10_000,
      commits: 50,
      commitsPerCommitter: 3,
      updates: 2000,
    },
    // Few entities are loaded before a process is warm: sizes would not compare.
    scale: { ...EFFORT, scanned: 1_000_000, bulkWarmUp: 20_000 },
  },
  sizes: { small: 10_000, large: 5_000_000 },
  scalePeer: 'lmdb',
  page: { file: 'benchmarks', title: 'Benchmarks of the store', method: METHOD },
})
