import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { createNodeFileSystem } from '../files/node-file-system.ts'
import { storeConformance } from './store-conformance.ts'
import { bytesOf, write } from './store-conformance-support.ts'
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

test.each([
  ['key', 2 ** 26 + 1, 0],
  ['value', 0, 2 ** 30],
])(
  'put: a %s that no extent takes -> too_large, and the transaction goes on',
  async (_, ...bytes) => {
    const storage = treeStorage(createMemoryFileSystem())
    const store = await storage.open({ durability: 'strict' })
    const [key, value] = bytes.map((length) => new Uint8Array(length)) as [Uint8Array, Uint8Array]
    await write(store, async (tx) => {
      await tx.put('t', bytesOf('a'), bytesOf('1'))
      expect(() => tx.put('t', key, value)).toThrow(expect.objectContaining({ code: 'too_large' }))
    })
    expect(store.stats().entries).toBe(1)
    await store.close()
  },
)
