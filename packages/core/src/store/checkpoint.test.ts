import { describe, expect, test } from 'vitest'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { DATA_FILE } from './format.ts'
import type { KeyValueStore } from './key-value-store.ts'
import { Random } from './random.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import { assertSpaceAccounted, readState } from './store-check.test-kit.ts'
import { bytesOf, textOf, write } from './store-conformance-support.ts'
import { tinySettings, Workload } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

async function putMany(store: KeyValueStore, round: number, random: Random): Promise<void> {
  await write(store, async (tx) => {
    for (let i = 0; i < 100; i++) {
      await tx.put('t', bytesOf(`key ${random.below(1000)}`), bytesOf(`value ${round} ${i}`))
    }
  })
}

test('checkpoint: while commits and reads go on -> nothing waits for it, nothing is lost', async () => {
  const random = new Random(3)
  const disk = new SimulatedDisk(random)
  const settings = {
    ...tinySettings(random),
    walCheckpointBytes: 10_000_000,
    cacheBytes: 10_000_000,
  }
  const store = await openTreeStore(disk.mount(), settings)
  await write(store, async (tx) => {
    for (let i = 0; i < 20_000; i++) await tx.put('t', bytesOf(`key ${i}`), random.bytes(50))
  })
  for (let round = 0; round < 30; round++) await putMany(store, round, random)
  let isDone = false
  const checkpoint = store.checkpoint().then(() => {
    isDone = true
  })
  let commits = 0
  while (!isDone) {
    await write(store, (tx) => tx.put('during', bytesOf(`k${commits}`), bytesOf('x')))
    commits++
    await new Promise((resolve) => setImmediate(resolve))
  }
  await checkpoint
  expect(commits).toBeGreaterThan(1)
  // The log since the checkpoint began is all that is left of the log.
  expect(store.stats().walBytes).toBeGreaterThan(0)
  expect(store.stats().checkpoints).toBe(1)
  const again = await openTreeStore(diskWith(random, disk.image()).mount(), settings)
  expect(again.recovery.replayedCommits).toBeLessThanOrEqual(commits)
  const snapshot = again.snapshot()
  expect(snapshot.count('during')).toBe(commits)
  snapshot.release()
  await again.close()
})

test('checkpoint: nothing changed since the last -> does nothing', async () => {
  const store = await openTreeStore(createMemoryFileSystem(), { durability: 'strict' })
  await store.checkpoint()
  expect(store.stats().checkpoints).toBe(0)
  await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
  await Promise.all([store.checkpoint(), store.checkpoint()])
  expect(store.stats().checkpoints).toBe(1)
  expect(store.stats().walBytes).toBe(0)
  await store.close()
})

test('space: many rounds of changes and checkpoints -> the file stops growing', async () => {
  const random = new Random(4)
  const fileSystem = createMemoryFileSystem()
  const settings = { ...tinySettings(random), nodeBytes: 1024, walCheckpointBytes: 20_000 }
  const store = await openTreeStore(fileSystem, settings)
  const sizes: number[] = []
  for (let round = 0; round < 120; round++) {
    await putMany(store, round, random)
    if (round % 3 === 0) await store.checkpoint()
    sizes.push(store.stats().fileBytes)
  }
  const middle = sizes[60] ?? 0
  expect(sizes.at(-1)).toBeLessThan(middle * 1.3)
  await store.close()
  await assertSpaceAccounted(fileSystem)
})

test('space: a snapshot held over many checkpoints -> stays readable, space comes back after it', async () => {
  const random = new Random(5)
  const disk = new SimulatedDisk(random)
  const store = await openTreeStore(disk.mount(), tinySettings(random))
  await putMany(store, 0, random)
  await store.checkpoint()
  // Reopened, so that the snapshot reads from the file.
  await store.close()
  const again = await openTreeStore(disk.mount(), tinySettings(random))
  const snapshot = again.snapshot()
  for (let round = 1; round < 20; round++) {
    await putMany(again, round, random)
    await again.checkpoint()
  }
  const [entries] = (await readState(snapshot)).values()
  expect(entries?.size).toBe(snapshot.count('t'))
  expect(textOf(Buffer.from([...(entries?.values() ?? [])][0] ?? '', 'hex'))).toMatch(/^value 0 /)
  snapshot.release()
  for (let round = 0; round < 3; round++) {
    await putMany(again, round, random)
    await again.checkpoint()
  }
  const size = disk.content(DATA_FILE).length
  for (let round = 0; round < 20; round++) {
    await putMany(again, round, random)
    await again.checkpoint()
  }
  expect(disk.content(DATA_FILE).length).toBeLessThanOrEqual(size * 1.1)
  await again.close()
  await assertSpaceAccounted(disk.mount())
})

test('value: of 64 MiB -> in the log, in the file, and back', async () => {
  const fileSystem = createMemoryFileSystem()
  const large = new Uint8Array(64 * 1024 * 1024)
  for (let i = 0; i < large.length; i += 4093) large[i] = i % 251
  const store = await openTreeStore(fileSystem, { durability: 'strict' })
  await write(store, (tx) => tx.put('t', bytesOf('large'), large))
  await store.close()
  const again = await openTreeStore(fileSystem, { durability: 'strict' })
  const snapshot = again.snapshot()
  const found = await snapshot.get('t', bytesOf('large'))
  expect(found !== undefined && Buffer.compare(found, large)).toBe(0)
  const batch = await snapshot.scan('t', {}).next(5)
  expect(batch.values[0]?.length).toBe(large.length)
  snapshot.release()
  await again.close()
})

describe('relaxed', () => {
  test('store: power lost at each operation -> a prefix with all that was flushed', async () => {
    for (let crashAt = 1; ; crashAt++) {
      const random = new Random(crashAt)
      const disk = new SimulatedDisk(random)
      const mount = disk.mount({ crashAt })
      const settings = { ...tinySettings(random), durability: 'relaxed' as const }
      const workload = new Workload(random)
      let checkpointed = 0
      try {
        const store = await openTreeStore(mount, settings)
        await workload.run(store, 20)
        await store.checkpoint()
        checkpointed = workload.acknowledged
        await workload.run(store, 20)
      } catch (error) {
        if (!mount.isCrashed) throw error
      }
      const hasCrashed = mount.isCrashed
      // A checkpoint may be under way.
      mount.kill()
      disk.losePower()
      const again = await openTreeStore(disk.mount(), settings)
      const { lastLsn } = again.recovery
      expect(lastLsn, `crash at ${crashAt}`).toBeGreaterThanOrEqual(checkpointed)
      const snapshot = again.snapshot()
      expect(await readState(snapshot), `crash at ${crashAt}`).toEqual(workload.states[lastLsn])
      snapshot.release()
      await again.close()
      await assertSpaceAccounted(disk.mount())
      if (!hasCrashed) break
    }
  })

  test('commit: then time passes -> flushed within the delay, power lost or not', async () => {
    const random = new Random(1)
    const disk = new SimulatedDisk(random)
    const timers: { readonly delayMs: number; readonly task: () => void }[] = []
    const scheduler = {
      after(delayMs: number, task: () => void) {
        const timer = { delayMs, task }
        timers.push(timer)
        return () => void timers.splice(timers.indexOf(timer), 1)
      },
    }
    const settings = { ...tinySettings(random), durability: 'relaxed' as const, scheduler }
    const store = await openTreeStore(disk.mount(), settings)
    await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
    await write(store, (tx) => tx.put('t', bytesOf('b'), bytesOf('2')))
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([100])
    timers[0]?.task()
    await new Promise((resolve) => setImmediate(resolve))
    disk.losePower()
    const again = await openTreeStore(disk.mount(), tinySettings(random))
    expect(again.recovery).toEqual({ replayedCommits: 2, lastLsn: 2 })
    await again.close()
  })
})
