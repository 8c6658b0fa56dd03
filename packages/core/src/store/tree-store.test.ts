import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { createNodeFileSystem } from '../files/node-file-system.ts'
import { storeConformance } from './store-conformance.ts'
import { treeStorage } from './tree-storage.ts'

const runner = { describe, test }

storeConformance(
  'TreeStore in memory',
  async () => ({ storage: treeStorage(createMemoryFileSystem()), dispose: async () => {} }),
  runner,
)

storeConformance(
  'TreeStore with tiny nodes and constant checkpoints',
  async () => ({
    storage: treeStorage(createMemoryFileSystem(), {
      nodeBytes: 256,
      walCheckpointBytes: 1000,
      walAllocationBytes: 4096,
    }),
    dispose: async () => {},
  }),
  runner,
)

storeConformance(
  'TreeStore in a directory',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'entidb-store-'))
    return {
      storage: treeStorage(createNodeFileSystem(directory)),
      dispose: () => rm(directory, { recursive: true, force: true }),
    }
  },
  runner,
)
