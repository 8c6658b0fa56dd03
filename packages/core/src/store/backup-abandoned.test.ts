/** A backup that nobody reads must not hold space for ever; one that is read slowly must go on. */
import { expect, test } from 'vitest'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import type { KeyValueStore, StoreMaintenance } from './key-value-store.ts'
import { readState } from './store-check.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { treeStorage } from './tree-storage.ts'
import { openTreeStore } from './tree-store.ts'

const VALUE_BYTES = 3000

async function filled() {
  const store = await openTreeStore(createMemoryFileSystem(), { durability: 'strict' })
  await write(store, async (tx) => {
    for (let i = 0; i < 1500; i++) {
      await tx.put('t', bytesOf(`key ${i}`), new Uint8Array(VALUE_BYTES).fill(i))
    }
  })
  await store.checkpoint()
  return store
}

function maintenanceOf({ maintenance }: KeyValueStore): StoreMaintenance {
  if (maintenance === undefined) throw new Error('a tree store has it')
  return maintenance
}

async function checkpoints(store: KeyValueStore, count: number) {
  for (let i = 0; i < count; i++) {
    await write(store, (tx) => tx.put('t', bytesOf('key 1'), new Uint8Array(VALUE_BYTES).fill(i)))
    await store.checkpoint()
  }
}

test('backup: left lying while much is written -> its space is reused, reading on is backup_abandoned', async () => {
  const store = await filled()
  const backup = maintenanceOf(store).backup()
  await backup.next()
  await backup.next()
  await checkpoints(store, 258)
  const held = store.stats().fileBytes
  await checkpoints(store, 50)
  expect(store.stats().fileBytes).toBeLessThanOrEqual(held)
  await expect(backup.next()).rejects.toMatchObject({ code: 'backup_abandoned', retry: 'later' })
  expect(await backup.next()).toEqual({ done: true, value: undefined })
  await store.close()
})

test('backup: read slowly while much is written -> the state of its beginning', async () => {
  const store = await filled()
  const snapshot = store.snapshot()
  const expected = await readState(snapshot)
  snapshot.release()
  const pieces: Uint8Array[] = []
  for await (const piece of maintenanceOf(store).backup()) {
    pieces.push(piece)
    await checkpoints(store, 100)
  }
  expect(pieces.length).toBeGreaterThan(4)
  const target = createMemoryFileSystem()
  await treeStorage(target).restore?.(
    (async function* () {
      yield* pieces
    })(),
  )
  const copy = await openTreeStore(target, { durability: 'strict' })
  const view = copy.snapshot()
  expect(await readState(view)).toEqual(expected)
  view.release()
  await copy.close()
  await store.close()
})

test('backup: never begun -> holds nothing', async () => {
  const store = await filled()
  maintenanceOf(store).backup()
  await checkpoints(store, 3)
  const before = store.stats().fileBytes
  await checkpoints(store, 20)
  // Held, it would have grown by more than the values.
  expect(store.stats().fileBytes).toBeLessThan(before + 10 * VALUE_BYTES)
  await store.close()
})
