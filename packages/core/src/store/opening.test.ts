/** Opening writes nothing to a store that was closed cleanly; the first commit does what opening put off. */
import { describe, expect, test } from 'vitest'
import { EntiDBError, isEntiDBError } from '../errors/entidb-error.ts'
import { DATA_FILE, NEW_DATA_FILE } from './format.ts'
import type { KeyValueStore, StoreMaintenance } from './key-value-store.ts'
import { nextTurn } from './next-turn.test-kit.ts'
import { Random } from './random.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import type { MountOptions } from './simulated-mount.ts'
import { assertSpaceAccounted, readState } from './store-check.test-kit.ts'
import { bytesOf, textOf, write } from './store-conformance-support.ts'
import { tinySettings } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

type Failure = NonNullable<MountOptions['failure']>

const settings = () => ({ ...tinySettings(new Random(5)), walCheckpointBytes: 1_000_000 })
const open = (disk: SimulatedDisk, options: MountOptions = {}): Promise<KeyValueStore> =>
  openTreeStore(disk.mount({ flushDelay: nextTurn, ...options }), settings())

const put = (store: KeyValueStore, key: string): Promise<void> =>
  write(store, (tx) => tx.put('t', bytesOf(key), bytesOf('x')))

function maintenanceOf({ maintenance }: KeyValueStore): StoreMaintenance {
  if (maintenance === undefined) throw new Error('a tree store has it')
  return maintenance
}

async function keysOf(store: KeyValueStore): Promise<string[]> {
  const snapshot = store.snapshot()
  const { keys } = await snapshot.scan('t', {}).next(100)
  snapshot.release()
  return keys.map((key) => textOf(key) ?? '')
}

/** Holds `closed`. */
async function closedStore(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk(new Random(1))
  const store = await open(disk)
  await put(store, 'closed')
  await store.close()
  return disk
}

/** Lists what is done to the files, reading apart. */
function changes(): { readonly failure: Failure; readonly made: string[] } {
  const made: string[] = []
  const failure: Failure = (operation, file, _count, growth) => {
    const isReading = ['read', 'list'].includes(operation) || (operation === 'open' && growth === 0)
    if (!isReading) made.push(`${operation} ${file}`)
    return undefined
  }
  return { failure, made }
}

const codeOf = (done: Promise<unknown>): Promise<string> =>
  done.then(
    () => 'resolved',
    (error) => (isEntiDBError(error) ? error.code : String(error)),
  )

describe('a store that was closed cleanly', () => {
  test('opened, read, closed -> nothing is written, truncated, removed or flushed', async () => {
    const disk = await closedStore()
    const before = disk.image()
    const { failure, made } = changes()
    for (let i = 0; i < 2; i++) {
      const store = await open(disk, { failure })
      expect(await keysOf(store)).toEqual(['closed'])
      await store.close()
    }
    expect(made).toEqual([])
    expect(disk.image()).toEqual(before)
  })

  test('new, nothing written -> the second opening writes nothing', async () => {
    const disk = new SimulatedDisk(new Random(1))
    await (await open(disk)).close()
    const { failure, made } = changes()
    const store = await open(disk, { failure })
    expect(await keysOf(store)).toEqual([])
    await store.close()
    expect(made).toEqual([])
  })

  test('checkpoint, verify, backup, a commit without changes -> nothing is written', async () => {
    const disk = await closedStore()
    const { failure, made } = changes()
    const store = await open(disk, { failure })
    await store.checkpoint()
    await (await store.begin()).commit()
    expect((await maintenanceOf(store).verify()).problems).toEqual([])
    const copy: Uint8Array[] = []
    for await (const piece of maintenanceOf(store).backup()) copy.push(piece.slice())
    expect(store.stats()).toMatchObject({ walBytes: 0, checkpoints: 0 })
    expect(store.stats().fileBytes).toBe(disk.content(DATA_FILE).length)
    await store.close()
    expect(made).toEqual([])

    const restored = diskWith(new Random(1), new Map([[DATA_FILE, Buffer.concat(copy)]]))
    const again = await open(restored)
    expect(await keysOf(again)).toEqual(['closed'])
    await again.close()
  })

  test('compact -> compacted, and all is there', async () => {
    const disk = await closedStore()
    const store = await open(disk)
    await maintenanceOf(store).compact()
    await store.close()
    await assertSpaceAccounted(disk.mount())
    const again = await open(disk)
    expect(await keysOf(again)).toEqual(['closed'])
    await again.close()
  })

  test('a data file that was never finished beside it -> removed by the first commit', async () => {
    const disk = await closedStore()
    disk.replace(NEW_DATA_FILE, new Uint8Array(10))
    const store = await open(disk)
    expect(disk.names()).toContain(NEW_DATA_FILE)
    await put(store, 'a')
    expect(disk.names()).not.toContain(NEW_DATA_FILE)
    await store.close()
  })

  test('commits while the log is being started -> durable, in order', async () => {
    const disk = await closedStore()
    const store = await open(disk)
    const commits: Promise<void>[] = []
    const settled: number[] = []
    for (let i = 0; i < 4; i++) {
      const tx = await store.begin()
      await tx.put('t', bytesOf(`k${i}`), bytesOf('x'))
      commits.push(tx.commit().then(() => void settled.push(i)))
    }
    expect(settled).toEqual([])
    await Promise.all(commits)
    expect(settled).toEqual([0, 1, 2, 3])
    disk.losePower()
    const again = await open(disk)
    expect(await keysOf(again)).toEqual(['closed', 'k0', 'k1', 'k2', 'k3'])
    await again.close()
  })

  test('closed while the log is being started -> the commit is there', async () => {
    const disk = await closedStore()
    const store = await open(disk)
    const tx = await store.begin()
    await tx.put('t', bytesOf('a'), bytesOf('x'))
    const commit = tx.commit()
    await Promise.all([store.close(), commit])
    const again = await open(disk)
    expect(await keysOf(again)).toEqual(['a', 'closed'])
    await again.close()
  })
})

/** Fails every operation of these kinds from the `failAt`th on, until it is told to stop. */
function failingFrom(failAt: number, code: 'disk_full' | 'io_failed', needs: readonly string[]) {
  const control = { isOver: false }
  let seen = 0
  const failure: Failure = (operation, file, _count, growth) => {
    if (control.isOver || !needs.includes(operation)) return undefined
    if (operation === 'open' && growth === 0) return undefined
    seen++
    if (seen < failAt) return undefined
    return new EntiDBError(code, 'simulated', { details: { file, operation } })
  }
  return { control, failure }
}

/** How many operations of these kinds starting the log takes. Its superblock is the last of them. */
async function operationsOfStart(needs: readonly string[]): Promise<number> {
  const { failure, made } = changes()
  const store = await open(await closedStore(), { failure })
  await put(store, 'a')
  const start = made.slice(0, made.lastIndexOf(`flush ${DATA_FILE}`) + 1)
  await store.close()
  return start.filter((operation) => needs.includes(operation.split(' ')[0] ?? '')).length
}

const NEEDS_SPACE = ['open', 'write', 'truncate']
const WRITES = [...NEEDS_SPACE, 'flush', 'flushDirectory', 'remove']

describe('the first commit', () => {
  test('no space, at each write of it -> refused with those built on it; reads go on, later ones succeed', async () => {
    const operations = await operationsOfStart(NEEDS_SPACE)
    expect(operations).toBeGreaterThan(5)
    for (let failAt = 1; failAt <= operations; failAt++) {
      const disk = await closedStore()
      const { control, failure } = failingFrom(failAt, 'disk_full', NEEDS_SPACE)
      const store = await open(disk, { failure })
      const first = await store.begin()
      await first.put('t', bytesOf('a'), bytesOf('x'))
      const commit = codeOf(first.commit())
      const second = await store.begin()
      await second.put('t', bytesOf('b'), bytesOf('x'))
      const codes = await Promise.all([commit, codeOf(second.commit())])
      expect(codes, `at ${failAt}`).toEqual(['disk_full', 'disk_full'])
      expect(await keysOf(store)).toEqual(['closed'])
      expect(await codeOf(put(store, 'c')), `again at ${failAt}`).toBe('disk_full')
      control.isOver = true
      await put(store, 'later')
      expect(await keysOf(store)).toEqual(['closed', 'later'])
      if (failAt % 2 === 0) await store.close()
      disk.losePower()
      const again = await open(disk)
      expect(await keysOf(again), `opened again, at ${failAt}`).toEqual(['closed', 'later'])
      await again.close()
      await assertSpaceAccounted(disk.mount())
    }
  })

  test('no space, at each write of it, then closed -> opens as it was', async () => {
    const operations = await operationsOfStart(NEEDS_SPACE)
    for (let failAt = 1; failAt <= operations; failAt++) {
      const disk = await closedStore()
      const { failure } = failingFrom(failAt, 'disk_full', NEEDS_SPACE)
      const store = await open(disk, { failure })
      expect(await codeOf(put(store, 'a'))).toBe('disk_full')
      await store.close()
      if (failAt % 2 === 0) disk.losePower()
      const again = await open(disk)
      expect(await keysOf(again), `at ${failAt}`).toEqual(['closed'])
      await put(again, 'b')
      await again.close()
    }
  })

  test('io error, at each operation of it -> failed until reopened; reads go on', async () => {
    const operations = await operationsOfStart(WRITES)
    expect(operations).toBeGreaterThan(10)
    for (let failAt = 1; failAt <= operations; failAt++) {
      const disk = await closedStore()
      const { failure } = failingFrom(failAt, 'io_failed', WRITES)
      const store = await open(disk, { failure })
      expect(await codeOf(put(store, 'a')), `at ${failAt}`).toBe('io_failed')
      expect(store.stats().state).toBe('failed')
      expect(await keysOf(store)).toEqual(['closed'])
      expect(await codeOf(put(store, 'b'))).toBe('database_failed')
      await store.close()
      if (failAt % 2 === 0) disk.losePower()
      const again = await open(disk)
      expect((await keysOf(again)).at(-1), `at ${failAt}`).toBe('closed')
      await again.close()
    }
  })
})

describe('a superblock that is not durable', () => {
  /** From the `n`th flush of the file on every one loses what it was to write; `onFailure` may kill. */
  function losing(name: string, n: number, onFailure: () => void = () => {}): Failure {
    let seen = 0
    return (operation, file) => {
      if (operation !== 'flush' || !file.startsWith(name) || ++seen < n) return undefined
      onFailure()
      return new EntiDBError('io_failed', 'simulated', { details: { file, operation } })
    }
  }

  /** Two commits, of which the second is in the page cache only. */
  async function unflushedCommit(): Promise<SimulatedDisk> {
    const disk = await closedStore()
    const { control, failure } = failingFrom(1, 'io_failed', ['flush'])
    control.isOver = true
    const store = await open(disk, { failure })
    await put(store, 'durable')
    control.isOver = false
    expect(await codeOf(put(store, 'unflushed'))).toBe('io_failed')
    return disk
  }

  /** What an opener found must be there when the power was lost after it. */
  async function expectFoundAgain(disk: SimulatedDisk): Promise<void> {
    const store = await open(disk)
    const found = await readState(store.snapshot())
    disk.losePower()
    const again = await open(disk)
    expect(await readState(again.snapshot())).toEqual(found)
  }

  // Of recovery: as it was, repeated, the tree, the sealed superblock.
  test.each([1, 2, 3, 4])(
    'recovery that fails at flush %i of the data file -> what is found next is found again',
    async (n) => {
      const disk = await unflushedCommit()
      const failed = open(disk, { failure: losing(DATA_FILE, n) })
      await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(/failed$/) })
      await expectFoundAgain(disk)
    },
  )

  test('recovery that fails at its superblock, then dies repeating it -> found again', async () => {
    const disk = await unflushedCommit()
    await expect(open(disk, { failure: losing(DATA_FILE, 4) })).rejects.toThrow('simulated')
    const mount = disk.mount({ failure: losing(DATA_FILE, 2, () => mount.kill()) })
    await expect(openTreeStore(mount, settings())).rejects.toThrow('simulated')
    await expectFoundAgain(disk)
  })
})
