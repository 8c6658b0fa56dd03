/** Verifying, copying and compacting a store that is in use. */
import { describe, expect, test } from 'vitest'
import type { FileSystem } from '../files/file-system.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { encodeCatalog } from './catalog.ts'
import { EXTENT_HEADER_BYTES } from './extent-codec.ts'
import { DATA_FILE } from './format.ts'
import type { KeyValueStore, StoreMaintenance } from './key-value-store.ts'
import { branchOver, EditToken, NodeRef } from './node.ts'
import type { PageFile } from './page-file.ts'
import { Random } from './random.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import { assertSpaceAccounted, readState } from './store-check.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { tinySettings, Workload } from './store-workload.test-kit.ts'
import type { Superblock } from './superblock.ts'
import { treeStorage } from './tree-storage.ts'
import { openTreeStore } from './tree-store.ts'
import type { TreeStoreOptions } from './tree-store-options.ts'
import { verifyTree } from './verify-tree.ts'

async function stateOf(store: KeyValueStore) {
  const snapshot = store.snapshot()
  const state = await readState(snapshot)
  snapshot.release()
  return state
}

function maintenanceOf({ maintenance }: KeyValueStore): StoreMaintenance {
  if (maintenance === undefined) throw new Error('a tree store has it')
  return maintenance
}

/** Restores into a directory. */
async function restoreInto(
  fileSystem: FileSystem,
  settings: TreeStoreOptions,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const { restore } = treeStorage(fileSystem, settings)
  await restore?.(each(pieces))
}

async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return all
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece.slice()
}

async function filled(seed: number, transactions = 60) {
  const random = new Random(seed)
  const disk = new SimulatedDisk(random)
  const settings = tinySettings(random)
  const store = await openTreeStore(disk.mount(), settings)
  const workload = new Workload(random)
  await workload.run(store, transactions)
  return { random, disk, settings, store, workload }
}

describe('verify', () => {
  test('after any work -> no problem, everything counted', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { store } = await filled(seed)
      const state = await stateOf(store)
      const { problems, checked } = await maintenanceOf(store).verify()
      expect(problems).toEqual([])
      expect(checked.entries).toBe([...state.values()].reduce((sum, table) => sum + table.size, 0))
      await store.close()
    }
  })

  test('a byte of each used unit changed -> a problem at its extent', async () => {
    const { disk, store, random, settings } = await filled(3, 400)
    await store.close()
    const image = disk.image()
    const data = image.get(DATA_FILE) ?? new Uint8Array(0)
    let found = 0
    for (let offset = 8192 + 30; offset < data.length; offset += 512) {
      const damaged = new Map(image)
      const bytes = data.slice()
      bytes[offset] = (bytes[offset] ?? 0) ^ 0xff
      damaged.set(DATA_FILE, bytes)
      const opening = openTreeStore(diskWith(random, damaged).mount(), settings)
      // The catalog and the free list are read when it is opened.
      const again = await opening.catch(() => undefined)
      if (again === undefined) continue
      const { problems } = await maintenanceOf(again).verify()
      const [first] = problems
      if (first !== undefined) {
        found++
        expect(first).toMatchObject({ code: 'corrupt', file: DATA_FILE })
        expect(first.offset).toBeLessThanOrEqual(offset)
        expect(first.offset).toBeGreaterThan(offset - 2048)
      }
      await again.close()
    }
    expect(found).toBeGreaterThan(20)
  })
})

test('verify: a node that leads back to itself, all checksums right -> a problem, and an end', async () => {
  const extent = { start: 16, bytes: 100 }
  const itself = new NodeRef(undefined, extent)
  const node = branchOver(new EditToken(), itself, bytesOf('m'), itself)
  const catalog = encodeCatalog([['t', { root: itself, count: 1 }]], 1).subarray(
    EXTENT_HEADER_BYTES,
  )
  // Just what is asked of the file; a file that passes its checksums is not easily made.
  const pages = {
    file: { name: DATA_FILE },
    read: async () => ({ kind: 4, count: 1, payload: catalog }),
    readNode: () => node,
  } as unknown as PageFile
  const superblock = { endUnit: 18, catalog: { start: 17, bytes: 60 } } as unknown as Superblock
  const { problems } = await verifyTree(pages, superblock, { step: async () => {} })
  expect(problems).toHaveLength(2)
  expect(problems[0]).toMatchObject({ offset: 8192, message: 'a node is used more than once' })
})

describe('backup', () => {
  test('while commits and checkpoints go on -> restores to one state in between', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { store, workload, settings } = await filled(seed)
      const from = workload.acknowledged
      const pieces: Uint8Array[] = []
      const copying = (async () => {
        for await (const piece of maintenanceOf(store).backup()) {
          pieces.push(piece)
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      await workload.run(store, 30)
      await copying
      const target = createMemoryFileSystem()
      await restoreInto(target, settings, pieces)
      const restored = await openTreeStore(target, settings)
      const { lastLsn } = restored.recovery
      expect(lastLsn).toBeGreaterThanOrEqual(from)
      expect(await stateOf(restored)).toEqual(workload.states[lastLsn])
      expect((await maintenanceOf(restored).verify()).problems).toEqual([])
      await restored.close()
      await assertSpaceAccounted(target)
      await store.close()
    }
  })

  test('restore where a database is -> database_exists, and nothing changed', async () => {
    const { store, settings, disk } = await filled(1)
    const pieces = await gather(maintenanceOf(store).backup())
    await store.close()
    const before = disk.image()
    await expect(restoreInto(disk.mount(), settings, pieces)).rejects.toMatchObject({
      code: 'database_exists',
    })
    expect(disk.image()).toEqual(before)
  })

  test('restore of a copy that is cut off or damaged -> corrupt, and nothing there', async () => {
    const { store, settings } = await filled(2, 400)
    const whole = Buffer.concat(await gather(maintenanceOf(store).backup()))
    await store.close()
    const restore = async (copy: Uint8Array) => {
      const target = createMemoryFileSystem()
      const refusal = await restoreInto(target, settings, [copy]).catch((error: unknown) => error)
      if (refusal !== undefined) expect(await target.list()).toEqual([])
      return refusal
    }
    expect(await restore(whole.subarray(0, whole.length - 700))).toMatchObject({ code: 'corrupt' })
    let refusals = 0
    for (let offset = 8192; offset < whole.length; offset += 512) {
      const refusal = await restore(flipped(whole, offset + 3))
      if (refusal === undefined) continue
      expect(refusal).toMatchObject({ code: 'corrupt' })
      refusals++
    }
    // The other units are free.
    expect(refusals).toBeGreaterThan(20)
  })
})

function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[offset] = (copy[offset] ?? 0) ^ 1
  return copy
}

describe('compact', () => {
  async function half(fileSystem: ReturnType<typeof createMemoryFileSystem>) {
    const store = await openTreeStore(fileSystem, { durability: 'strict', nodeBytes: 4096 })
    await write(store, async (tx) => {
      for (let i = 0; i < 4000; i++) {
        await tx.put('t', bytesOf(`key ${i}`), new Uint8Array(100 + (i % 50) * 20).fill(i))
      }
    })
    await store.checkpoint()
    await write(store, async (tx) => {
      for (let i = 0; i < 4000; i++) if (i % 10 !== 3) await tx.delete('t', bytesOf(`key ${i}`))
    })
    return store
  }

  test('most entries deleted -> the file is as small as what is left, and that is unchanged', async () => {
    const fileSystem = createMemoryFileSystem()
    const store = await half(fileSystem)
    const state = await stateOf(store)
    await store.checkpoint()
    const before = store.stats().fileBytes
    await maintenanceOf(store).compact()
    expect(await stateOf(store)).toEqual(state)
    const live = [...(state.get('t')?.entries() ?? [])].reduce(
      (sum, [key, value]) => sum + (key.length + value.length) / 2,
      0,
    )
    expect(store.stats().fileBytes - 64 * 1024).toBeLessThan(live * 1.4)
    expect(store.stats().fileBytes).toBeLessThan(before / 4)
    expect((await maintenanceOf(store).verify()).problems).toEqual([])
    await store.close()
    await assertSpaceAccounted(fileSystem)
  })

  test('while others read and write -> they see what they should', async () => {
    const { store, workload } = await filled(7)
    const compacting = maintenanceOf(store).compact()
    await workload.run(store, 60)
    await compacting
    expect(await stateOf(store)).toEqual(workload.states.at(-1))
    expect((await maintenanceOf(store).verify()).problems).toEqual([])
    await store.close()
  })

  test('power lost at each operation -> nothing lost', async () => {
    for (let crashAt = 1; ; crashAt += 3) {
      const { disk, store, random, settings } = await filled(11)
      const state = await stateOf(store)
      await store.close()
      const mount = disk.mount({ crashAt })
      try {
        const again = await openTreeStore(mount, settings)
        await maintenanceOf(again).compact()
        await again.close()
      } catch (error) {
        if (!mount.isCrashed) throw error
      }
      disk.losePower()
      const recovered = await openTreeStore(disk.mount(), tinySettings(random))
      expect(await stateOf(recovered), `crash at ${crashAt}`).toEqual(state)
      expect((await maintenanceOf(recovered).verify()).problems).toEqual([])
      await recovered.close()
      await assertSpaceAccounted(disk.mount())
      if (!mount.isCrashed) break
    }
  })
})
