import { expect, test } from 'vitest'
import type { FileSystem } from '../files/file-system.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { DATA_FILE } from './format.ts'
import { Random } from './random.ts'
import { assertSpaceAccounted } from './store-check.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { openTreeStore } from './tree-store.ts'

const ENTRIES = 20_000
const WAL_BYTES = 512 * 1024

async function dataBytes(fileSystem: FileSystem): Promise<number> {
  const file = await fileSystem.open(DATA_FILE, { create: false })
  const size = file?.size() ?? 0
  await file?.close()
  return size
}

test.each([100, 2000])(
  'updates of %i random entries a commit, without a pause -> files stay bounded',
  async (size) => {
    const random = new Random(5)
    const fileSystem = createMemoryFileSystem()
    const store = await openTreeStore(fileSystem, {
      durability: 'strict',
      walCheckpointBytes: WAL_BYTES,
    })
    const put = (keys: readonly number[]): Promise<void> =>
      write(store, async (tx) => {
        for (const key of keys) await tx.put('t', bytesOf(`key ${key}`), random.bytes(200))
      })
    await put(Array.from({ length: ENTRIES }, (_, i) => i))
    await store.maintenance?.compact()
    const live = await dataBytes(fileSystem)
    let dataMost = 0
    let logMost = 0
    for (let updates = 0; updates < 4 * ENTRIES; updates += size) {
      await put(Array.from({ length: size }, () => random.below(ENTRIES)))
      dataMost = Math.max(dataMost, await dataBytes(fileSystem))
      logMost = Math.max(logMost, store.stats().walBytes)
    }
    expect(store.stats().checkpoints).toBeGreaterThan(5)
    // The worst there can be: all nodes change between two checkpoints, so that two whole trees are there.
    expect(dataMost).toBeLessThan(2.15 * live)
    // A checkpoint keeps pace with what is logged; a few commits get in where it begins, waits and ends.
    expect(logMost).toBeLessThan(WAL_BYTES + live / 4 + 8 * size * 250)
    await store.close()
    await assertSpaceAccounted(fileSystem)
  },
)
