/** `db.backup`, `restoreBackup` and `db.compact`. */
import { describe, expect, test } from 'vitest'
import { EntiDBError } from '../errors/entidb-error.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { Random } from '../store/random.ts'
import { SimulatedDisk } from '../store/simulated-disk.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { restoreBackup } from './backup.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'

interface Note {
  readonly id: string
  readonly kind: number
  readonly text: string
}

const collections = { notes: defineCollection<Note>({ indexes: { byKind: ['kind'] } }) }
const open = (storage = memoryStorage()) => EntiDB.open({ storage, collections })

async function filled(notes = 200, storage = memoryStorage()) {
  const db = await open(storage)
  await db.transaction(async (tx) => {
    for (let i = 0; i < notes; i++) {
      await tx.collection('notes').put({ id: `n${i}`, kind: i % 10, text: `${i} `.repeat(500) })
    }
  })
  return db
}

const contentOf = (db: Awaited<ReturnType<typeof open>>) => db.collection('notes').find()

/** Collects what is written to it. */
function collector() {
  const pieces: Uint8Array[] = []
  const sink = new WritableStream<Uint8Array>({ write: (piece) => void pieces.push(piece) })
  return { pieces, sink }
}

async function* each(pieces: readonly Uint8Array[]) {
  yield* pieces
}

describe('backup', () => {
  test('into a storage -> a database of the same content and identity', async () => {
    const db = await filled()
    const target = memoryStorage()
    const steps: { doneBytes: number; totalBytes: number }[] = []
    const { bytes } = await db.backup(target, { onProgress: (step) => steps.push(step) })
    expect(steps.at(-1)).toEqual({ doneBytes: bytes, totalBytes: bytes })
    const copy = await open(target)
    expect(await contentOf(copy)).toEqual(await contentOf(db))
    expect(await copy.collection('notes').count({ where: { kind: 3 } })).toBe(20)
    expect((await copy.verify()).problems).toEqual([])
    await copy.close()
    await db.close()
  })

  test('to a stream and back, in pieces of any size -> the same', async () => {
    const db = await filled()
    const { pieces, sink } = collector()
    const { bytes } = await db.backup(sink)
    const whole = Buffer.concat(pieces)
    expect(whole.length).toBe(bytes)
    const expected = await contentOf(db)
    await db.close()
    const cut: Uint8Array[] = []
    for (let at = 0; at < whole.length; at += 70_001) cut.push(whole.subarray(at, at + 70_001))
    const sources = [
      each(cut),
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (const piece of cut) controller.enqueue(piece)
          controller.close()
        },
      }),
      // A host whose streams are not iterable.
      { getReader: () => readerOf(cut) },
    ]
    for (const source of sources) {
      const target = memoryStorage()
      let seen = 0
      const restored = await restoreBackup(source, target, {
        onProgress: ({ doneBytes }) => {
          seen = doneBytes
        },
      })
      expect([restored.bytes, seen]).toEqual([bytes, bytes])
      const copy = await open(target)
      expect(await contentOf(copy)).toEqual(expected)
      await copy.close()
    }
  })

  function readerOf(pieces: readonly Uint8Array[]) {
    const left = [...pieces]
    return {
      read: async () => ({ done: left.length === 0, value: left.shift() }),
      cancel: async () => {},
    }
  }

  test('while others write -> one of the states in between', async () => {
    const db = await filled(1)
    const counts = async (database: Awaited<ReturnType<typeof open>>) => {
      const notes = await database.collection('notes').find()
      return new Set(notes.map(({ text }) => text))
    }
    let stopped = false
    const writing = (async () => {
      for (let round = 0; !stopped; round++) {
        // All of them say the same in every committed state.
        await db.transaction(async (tx) => {
          for (let i = 0; i < 50; i++) {
            await tx
              .collection('notes')
              .put({ id: `n${i}`, kind: i, text: `${round}`.padEnd(3000, 'x') })
          }
        })
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let i = 0; i < 5; i++) {
      const target = memoryStorage()
      await db.backup(target)
      const copy = await open(target)
      expect((await counts(copy)).size).toBe(1)
      expect((await copy.verify()).problems).toEqual([])
      await copy.close()
    }
    stopped = true
    await writing
    await db.close()
  })

  test('target holds a database -> database_exists; is in use -> database_locked; is the source -> database_locked', async () => {
    const own = memoryStorage()
    const db = await filled(3, own)
    const other = memoryStorage()
    const otherDb = await open(other)
    await expect(db.backup(other)).rejects.toMatchObject({ code: 'database_locked' })
    await expect(db.backup(own)).rejects.toMatchObject({ code: 'database_locked' })
    await otherDb.close()
    await expect(db.backup(other)).rejects.toMatchObject({ code: 'database_exists' })
    expect(await contentOf(db)).toHaveLength(3)
    await db.close()
  })

  test('target full -> disk_full, and nothing left of it; the source goes on', async () => {
    const db = await filled()
    const disk = new SimulatedDisk(new Random(1))
    const full = new EntiDBError('disk_full', 'simulated')
    const failure = (operation: string, _: string, count: number) =>
      operation === 'write' && count > 4 ? full : undefined
    const target = treeStorage(disk.mount({ failure }))
    await expect(db.backup(target)).rejects.toMatchObject({ code: 'disk_full' })
    expect(disk.names()).toEqual([])
    expect(await contentOf(db)).toHaveLength(200)
    await db.close()
  })

  test('stream fails -> its error, and it was aborted', async () => {
    const db = await filled()
    const sink = new WritableStream<Uint8Array>({
      write: () => Promise.reject(new Error('broken pipe')),
    })
    await expect(db.backup(sink)).rejects.toThrow('broken pipe')
    await db.close()
  })

  test('aborted while the stream is stuck -> the reason at once, and no space is held', async () => {
    const db = await filled()
    let aborted: unknown
    const sink = {
      getWriter: () => ({
        write: () => new Promise(() => {}),
        close: async () => {},
        abort: async (reason?: unknown) => {
          aborted = reason
        },
      }),
    }
    const controller = new AbortController()
    const backup = db.backup(sink, { signal: controller.signal })
    await new Promise((resolve) => setImmediate(resolve))
    controller.abort(new Error('stop'))
    await expect(backup).rejects.toThrow('stop')
    expect(aborted).toMatchObject({ message: 'stop' })
    await db.close()
  })

  test('aborted on its way into a storage -> the reason, and nothing there', async () => {
    const db = await filled(700)
    const fileSystem = createMemoryFileSystem()
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('stop'))
    const options = { signal: controller.signal, onProgress }
    await expect(db.backup(treeStorage(fileSystem), options)).rejects.toThrow('stop')
    expect(await fileSystem.list()).toEqual([])
    await db.close()
  })

  test('closed meanwhile -> database_closed, and nothing there', async () => {
    const db = await filled(700)
    const fileSystem = createMemoryFileSystem()
    const backup = db.backup(treeStorage(fileSystem)).catch((error: unknown) => error)
    await db.close()
    expect(await backup).toMatchObject({ code: 'database_closed' })
    expect(await fileSystem.list()).toEqual([])
    await expect(db.backup(memoryStorage())).rejects.toMatchObject({ code: 'database_closed' })
  })

  test('a store without backups -> TypeError', async () => {
    const db = await open(naiveStorage())
    await expect(db.backup(memoryStorage())).rejects.toThrow(TypeError)
    await db.close()
    const own = await open()
    await expect(own.backup(naiveStorage())).rejects.toThrow(TypeError)
    await expect(restoreBackup(each([]), naiveStorage())).rejects.toThrow(TypeError)
    await own.close()
  })
})

describe('restore', () => {
  test.each([
    ['nothing', 'not_a_database', []],
    ['something else', 'not_a_database', [new Uint8Array(100_000).fill(65)]],
  ])('of %s -> %s, and nothing there', async (_, code, pieces) => {
    const fileSystem = createMemoryFileSystem()
    const restoring = restoreBackup(each(pieces), treeStorage(fileSystem))
    await expect(restoring).rejects.toMatchObject({ code })
    expect(await fileSystem.list()).toEqual([])
  })

  test('of pieces that are no bytes -> TypeError, and nothing there', async () => {
    const fileSystem = createMemoryFileSystem()
    const source = each(['text'] as unknown as Uint8Array[])
    await expect(restoreBackup(source, treeStorage(fileSystem))).rejects.toThrow(TypeError)
    expect(await fileSystem.list()).toEqual([])
  })

  test('aborted while the source is stuck -> the reason, the source ended, nothing there', async () => {
    const fileSystem = createMemoryFileSystem()
    const controller = new AbortController()
    let ended = false
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Uint8Array>>(() => {}),
        return: async () => {
          ended = true
          return { done: true as const, value: undefined }
        },
      }),
    }
    const options = { signal: controller.signal }
    const restoring = restoreBackup(source, treeStorage(fileSystem), options)
    await new Promise((resolve) => setImmediate(resolve))
    controller.abort(new Error('stop'))
    await expect(restoring).rejects.toThrow('stop')
    expect(ended).toBe(true)
    expect(await fileSystem.list()).toEqual([])
  })
})

describe('compact', () => {
  test('most is deleted -> the files shrink, what is left is unchanged', async () => {
    // It lies in the data file by the time most of it is deleted.
    const db = await filled(
      3000,
      treeStorage(createMemoryFileSystem(), { walCheckpointBytes: 4e6 }),
    )
    await db.transaction(async (tx) => {
      for (let i = 0; i < 3000; i++) if (i % 20 !== 0) await tx.collection('notes').delete(`n${i}`)
    })
    const left = await contentOf(db)
    const before = (await db.stats()).store.fileBytes
    const steps: { done: number; total: number }[] = []
    await db.compact({ onProgress: (step) => void steps.push(step) })
    expect((await db.stats()).store.fileBytes).toBeLessThan(before / 2)
    expect(steps.length).toBeGreaterThan(10)
    expect(steps.at(-1)?.done).toBe(steps.at(-1)?.total)
    for (const [i, { done, total }] of steps.entries()) {
      expect(done).toBeLessThanOrEqual(total)
      expect(done).toBeGreaterThanOrEqual(steps[i - 1]?.done ?? 0)
    }
    expect(await contentOf(db)).toEqual(left)
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })

  test('aborted -> the reason, and nothing is lost', async () => {
    const db = await filled(50)
    const signal = AbortSignal.abort(new Error('stop'))
    await expect(db.compact({ signal })).rejects.toThrow('stop')
    expect(await contentOf(db)).toHaveLength(50)
    await db.close()
    await expect(db.compact()).rejects.toMatchObject({ code: 'database_closed' })
  })

  test('a store that needs none -> nothing to do', async () => {
    const db = await open(naiveStorage())
    await db.compact()
    await db.close()
  })
})
