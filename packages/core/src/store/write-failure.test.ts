/** What a failing disk leads to: each operation of a workload fails once, in turn. */
import { describe, expect, test } from 'vitest'
import { EntiDBError, isEntiDBError } from '../errors/entidb-error.ts'
import type { Durability, KeyValueStore } from './key-value-store.ts'
import { nextTurn } from './next-turn.test-kit.ts'
import { Random } from './random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import type { MountOptions } from './simulated-mount.ts'
import { assertSpaceAccounted, readState } from './store-check.test-kit.ts'
import { bytesOf, textOf, write } from './store-conformance-support.ts'
import { tinySettings, Workload } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

type Failure = NonNullable<MountOptions['failure']>

function failing(code: 'disk_full' | 'io_failed', file: string, operation: string): EntiDBError {
  return new EntiDBError(code, `simulated ${code}`, { details: { file, operation } })
}

/** Fails the first `operation` on a log after `arm` was called; counts the others. */
function walFailure(code: 'disk_full' | 'io_failed', failingOperation: string) {
  const control = { armed: false, calls: 0 }
  const failure: Failure = (operation, file) => {
    if (operation !== failingOperation || !file.startsWith('wal-')) return undefined
    control.calls++
    if (!control.armed) return undefined
    control.armed = false
    return failing(code, file, operation)
  }
  return { control, failure }
}

async function openWith(failure: Failure, durability: Durability = 'strict') {
  const random = new Random(1)
  const disk = new SimulatedDisk(random)
  const settings = { ...tinySettings(random), walCheckpointBytes: 1_000_000, durability }
  const store = await openTreeStore(disk.mount({ failure, flushDelay: nextTurn }), settings)
  return { disk, store, reopen: () => openTreeStore(disk.mount(), settings) }
}

async function storedValue(store: KeyValueStore, key: string): Promise<string | undefined> {
  const snapshot = store.snapshot()
  const value = await snapshot.get('t', bytesOf(key))
  snapshot.release()
  return textOf(value)
}

async function commitOf(store: KeyValueStore, key: string): Promise<{ done: Promise<string> }> {
  const tx = await store.begin()
  await tx.put('t', bytesOf(key), bytesOf('x'))
  return { done: codeOf(tx.commit()) }
}

function codeOf(commit: Promise<void>): Promise<string> {
  return commit.then(
    () => 'resolved',
    (error) => (isEntiDBError(error) ? error.code : String(error)),
  )
}

describe('flush of the log fails', () => {
  test('commits: one in the flush, one queued, one later -> io_failed, commit_unknown, database_failed', async () => {
    const { control, failure } = walFailure('io_failed', 'flush')
    const { store, reopen } = await openWith(failure)
    await write(store, (tx) => tx.put('t', bytesOf('acknowledged'), bytesOf('x')))
    control.armed = true
    const inFlush = await commitOf(store, 'a')
    const queued = await commitOf(store, 'b')
    const open = await store.begin()
    const waiting = store.begin().catch((error) => error.code)
    expect(await inFlush.done).toBe('io_failed')
    expect(await queued.done).toBe('commit_unknown')
    expect(await waiting).toBe('database_failed')
    await open.put('t', bytesOf('c'), bytesOf('x'))
    await expect(open.commit()).rejects.toMatchObject({ code: 'database_failed' })
    await expect(store.begin()).rejects.toMatchObject({ code: 'database_failed' })
    await expect(store.checkpoint()).rejects.toMatchObject({ code: 'database_failed' })
    expect(store.stats().state).toBe('failed')
    expect(await storedValue(store, 'acknowledged')).toBe('x')
    expect(await storedValue(store, 'a')).toBeUndefined()
    const flushes = control.calls
    await store.close()
    expect(control.calls).toBe(flushes)
    const again = await reopen()
    expect(await storedValue(again, 'acknowledged')).toBe('x')
    await again.close()
  })
})

describe('a checkpoint under way', () => {
  // Where a checkpoint that cannot begin is begun again and again, this test never ends.
  test('log: fails in the last step of it, and the next one is due -> failed, and others have their turn', async () => {
    let isEnding = false
    const failure: Failure = (operation, file) => {
      if (!file.startsWith('wal-')) return undefined
      if (operation === 'remove') isEnding = true
      return isEnding && operation === 'write' ? failing('io_failed', file, operation) : undefined
    }
    const random = new Random(1)
    const settings = { ...tinySettings(random), walCheckpointBytes: 1, cacheBytes: 10_000_000 }
    const store = await openTreeStore(new SimulatedDisk(random).mount({ failure }), settings)
    // So many nodes that the checkpoint takes several steps.
    await write(store, async (tx) => {
      for (let i = 0; i < 20_000; i++) await tx.put('t', bytesOf(`key ${i}`), bytesOf('value'))
    })
    let failed: string | undefined
    for (let i = 0; failed === undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      const code = await commitOf(store, `later ${i}`).then(({ done }) => done)
      if (code !== 'resolved') failed = code
    }
    expect(failed).toBe('io_failed')
    await new Promise((resolve) => setImmediate(resolve))
    expect(store.stats()).toMatchObject({ state: 'failed', checkpoints: 1 })
    await store.close()
  })
})

describe('closing', () => {
  test('close: waits for a writer when the flush fails -> closes all the same', async () => {
    const { control, failure } = walFailure('io_failed', 'flush')
    const { store, reopen } = await openWith(failure)
    control.armed = true
    const inFlush = await commitOf(store, 'a')
    const open = await store.begin()
    const closed = store.close()
    expect(await inFlush.done).toBe('io_failed')
    open.rollback()
    await closed
    expect(store.stats().state).toBe('closed')
    await (await reopen()).close()
  })
})

describe('closing, relaxed', () => {
  test('close: what had resolved cannot be flushed -> io_failed, closed all the same', async () => {
    const { control, failure } = walFailure('io_failed', 'flush')
    const { disk, store, reopen } = await openWith(failure, 'relaxed')
    await write(store, (tx) => tx.put('t', bytesOf('flushed'), bytesOf('x')))
    await store.checkpoint()
    const tx = await store.begin()
    await tx.put('t', bytesOf('a'), bytesOf('x'))
    const resolved = tx.commit()
    control.armed = true
    const closed = store.close()
    await resolved
    await expect(closed).rejects.toMatchObject({ code: 'io_failed', retry: 'after-reopen' })
    expect(store.stats().state).toBe('closed')
    disk.losePower()
    const again = await reopen()
    expect(await storedValue(again, 'flushed')).toBe('x')
    await again.close()
  })
})

describe('no space for the log', () => {
  test('commits: one without space, those built on it -> disk_full, and the store goes on', async () => {
    const { control, failure } = walFailure('disk_full', 'write')
    const { store, reopen } = await openWith(failure)
    await write(store, (tx) => tx.put('t', bytesOf('before'), bytesOf('x')))
    control.armed = true
    const full = await commitOf(store, 'a')
    const queued = await commitOf(store, 'b')
    const open = await store.begin()
    expect(textOf(await open.get('t', bytesOf('b')))).toBe('x')
    expect(await full.done).toBe('disk_full')
    expect(await queued.done).toBe('disk_full')
    await open.put('t', bytesOf('c'), bytesOf('x'))
    await expect(open.commit()).rejects.toMatchObject({ code: 'disk_full' })
    expect(store.stats().state).toBe('open')
    await write(store, (tx) => tx.put('t', bytesOf('after'), bytesOf('x')))
    const expectState = async (state: KeyValueStore): Promise<void> => {
      for (const key of ['before', 'after']) expect(await storedValue(state, key)).toBe('x')
      for (const key of ['a', 'b', 'c']) expect(await storedValue(state, key)).toBeUndefined()
    }
    await expectState(store)
    await store.close()
    const again = await reopen()
    await expectState(again)
    await again.close()
  })

  test('commit: written in part, then power lost -> the part is never replayed', async () => {
    const { control, failure } = walFailure('disk_full', 'write')
    const { disk, store, reopen } = await openWith(failure)
    await write(store, (tx) => tx.put('t', bytesOf('before'), bytesOf('x')))
    control.armed = true
    expect(await (await commitOf(store, 'a')).done).toBe('disk_full')
    disk.losePower()
    const again = await reopen()
    expect(again.recovery).toEqual({ replayedCommits: 1, lastLsn: 1 })
    expect(await storedValue(again, 'a')).toBeUndefined()
    await again.close()
  })
})

describe.each([
  ['disk_full', 1],
  ['disk_full', 6],
  ['io_failed', 1],
  ['io_failed', 1000],
] as const)('%s for %i operations, beginning at each in turn', (code, duration) => {
  test('store: reopened after it -> a prefix with all acknowledged commits', async () => {
    for (let failAt = 1; ; failAt++) {
      const random = new Random(failAt)
      const disk = new SimulatedDisk(random)
      const failure: Failure = (operation, file, count) => {
        if (count < failAt || count >= failAt + duration) return undefined
        const needsSpace = ['write', 'truncate', 'open'].includes(operation)
        return code === 'disk_full' && !needsSpace ? undefined : failing(code, file, operation)
      }
      const mount = disk.mount({ failure })
      const workload = new Workload(random)
      let store: KeyValueStore | undefined
      try {
        store = await openTreeStore(mount, tinySettings(random))
        if (code === 'disk_full') await workload.runOneByOne(store, 25)
        else await workload.run(store, 25)
      } catch (error) {
        if (!isEntiDBError(error)) throw error
      }
      await store?.close().catch(() => {})
      // First in the same boot, where what a failed flush lost can still be read; then after it.
      await expectPromiseKept(disk, workload, `failure at ${failAt}`)
      disk.losePower()
      await expectPromiseKept(disk, workload, `failure at ${failAt}, power lost`)
      if (mount.operations < failAt) break
    }
    // Thousands of stores, one for each operation.
  }, 120_000)
})

async function expectPromiseKept(
  disk: SimulatedDisk,
  workload: Workload,
  label: string,
): Promise<void> {
  const store = await openTreeStore(disk.mount(), tinySettings(new Random(8)))
  const { lastLsn } = store.recovery
  expect(lastLsn, label).toBeGreaterThanOrEqual(workload.acknowledged)
  expect(lastLsn, label).toBeLessThanOrEqual(workload.issued)
  const snapshot = store.snapshot()
  expect(await readState(snapshot), label).toEqual(workload.states[lastLsn])
  snapshot.release()
  // Not closed: what opening did must be enough.
  if (lastLsn % 2 === 0) await store.close()
  await assertSpaceAccounted(disk.mount())
}
