/** Looking at a store without changing it. */
import { describe, expect, test } from 'vitest'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import type { KeyValueStore } from './key-value-store.ts'
import { Random } from './random.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import { readState } from './store-check.test-kit.ts'
import { tinySettings, Workload } from './store-workload.test-kit.ts'
import { treeStorage } from './tree-storage.ts'
import { openTreeStore } from './tree-store.ts'

async function stateOf(store: KeyValueStore) {
  const snapshot = store.snapshot()
  const state = await readState(snapshot)
  snapshot.release()
  return state
}

/** A disk as a killed process, or one that closed its store, left it. */
async function used(seed: number, isClosed: boolean) {
  const random = new Random(seed)
  const disk = new SimulatedDisk(random)
  const settings = tinySettings(random)
  const store = await openTreeStore(disk.mount(), settings)
  const workload = new Workload(random)
  await workload.run(store, 60)
  const state = await stateOf(store)
  if (isClosed) await store.close()
  return { image: disk.image(), state, settings, random }
}

describe.each([
  ['closed', true],
  ['killed, with a log', false],
])('read-only: %s', (_, isClosed) => {
  test('opened and read -> the last state; not a byte and no file has changed', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { image, state, settings, random } = await used(seed, isClosed)
      const disk = diskWith(random, image)
      const storage = treeStorage(disk.mount(), settings)
      const store = await storage.open({ durability: 'strict', readOnly: true })
      expect(await stateOf(store)).toEqual(state)
      expect((await store.maintenance?.verify())?.problems).toEqual([])
      const layout = await store.maintenance?.layout()
      expect(layout?.superblock.sealed).toBe(isClosed)
      expect(new Map(layout?.tables.map(({ name, entries }) => [name, entries]))).toEqual(
        new Map([...state].map(([name, entries]) => [name, entries.size])),
      )
      expect(store.stats()).toMatchObject({ state: 'open', openSnapshots: 0 })
      await store.close()
      await store.close()
      expect(disk.image()).toEqual(image)
    }
  })
})

test('read-only: writing -> read_only', async () => {
  const { image, settings, random } = await used(1, true)
  const storage = treeStorage(diskWith(random, image).mount(), settings)
  const store = await storage.open({ durability: 'strict', readOnly: true })
  const refusal = { code: 'read_only' }
  await expect(store.begin()).rejects.toMatchObject(refusal)
  await expect(store.checkpoint()).rejects.toMatchObject(refusal)
  await expect(store.maintenance?.compact()).rejects.toMatchObject(refusal)
  await expect(store.maintenance?.backup().next()).rejects.toMatchObject(refusal)
  await store.close()
  expect(() => store.snapshot()).toThrow('closed')
})

test('read-only: no database -> not_a_database, and none is made', async () => {
  const fileSystem = createMemoryFileSystem()
  const storage = treeStorage(fileSystem)
  await expect(storage.open({ durability: 'strict', readOnly: true })).rejects.toMatchObject({
    code: 'not_a_database',
  })
  expect(await fileSystem.list()).toEqual([])
})

test('read-only: open elsewhere, or open here -> the other one is database_locked', async () => {
  const storage = treeStorage(createMemoryFileSystem())
  const store = await storage.open({ durability: 'strict' })
  const looking = () => storage.open({ durability: 'strict', readOnly: true })
  await expect(looking()).rejects.toMatchObject({ code: 'database_locked' })
  await store.close()
  const looked = await looking()
  await expect(storage.open({ durability: 'strict' })).rejects.toMatchObject({
    code: 'database_locked',
  })
  await looked.close()
})

test('layout: of a store in use -> nodes and depth grow with it, free space is told', async () => {
  const store = await openTreeStore(createMemoryFileSystem(), {
    durability: 'strict',
    nodeBytes: 256,
  })
  const layout = async () => (await store.maintenance?.layout())?.tables[0]
  const put = async (count: number) => {
    const tx = await store.begin()
    for (let i = 0; i < count; i++) await tx.put('t', Uint8Array.of(i >> 8, i), new Uint8Array(40))
    await tx.commit()
    await store.checkpoint()
  }
  await put(2)
  expect(await layout()).toMatchObject({ name: 't', entries: 2, depth: 1, nodes: 1 })
  await put(500)
  const grown = await layout()
  expect(grown).toMatchObject({ entries: 500 })
  expect(grown?.depth).toBeGreaterThan(2)
  expect(grown?.nodeBytes).toBeGreaterThan(500 * 42)
  await store.close()
})
