import { expect, test } from 'vitest'
import { EntiDBError } from '../errors/entidb-error.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { Random } from './random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { bytesOf, textOf, write } from './store-conformance-support.ts'
import { openTreeStore } from './tree-store.ts'

const SMALL = 200
const LARGE_BYTES = 400_000
const MEBIBYTE = 2 ** 20

test.each([{ reverse: false }, { reverse: true }])(
  'scan: small values and large ones, %o -> every one once, few bytes of large ones at a time',
  async (range) => {
    const store = await openTreeStore(createMemoryFileSystem(), { durability: 'strict' })
    const keys = Array.from({ length: SMALL + 30 }, (_, i) => `k${String(i).padStart(3, '0')}`)
    await write(store, async (tx) => {
      for (const [i, key] of keys.entries()) {
        await tx.put('t', bytesOf(key), new Uint8Array(i < SMALL ? 10 : LARGE_BYTES))
      }
    })
    for (const isStored of [false, true]) {
      if (isStored) await store.checkpoint()
      const snapshot = store.snapshot()
      const cursor = snapshot.scan('t', range)
      const seen: string[] = []
      for (;;) {
        const batch = await cursor.next(1_000)
        if (batch.keys.length === 0) break
        seen.push(...batch.keys.map((key) => textOf(key) ?? ''))
        const bytes = batch.values.reduce((sum, { length }) => sum + length, 0)
        expect(bytes).toBeLessThan(MEBIBYTE + LARGE_BYTES + SMALL * 10)
      }
      expect(seen).toEqual(range.reverse ? [...keys].reverse() : keys)
      snapshot.release()
    }
    await store.close()
  },
)

test.each([{ isAsynchronous: false }, { isAsynchronous: true }])(
  'scan: a large value that cannot be read at first, %o -> io_failed, then every entry once',
  async ({ isAsynchronous }) => {
    let fails = false
    const failure = (operation: string): EntiDBError | undefined =>
      fails && operation === 'read' ? new EntiDBError('io_failed', 'simulated') : undefined
    const mount = new SimulatedDisk(new Random(1)).mount({ failure, isAsynchronous })
    const store = await openTreeStore(mount, { durability: 'strict' })
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    await write(store, async (tx) => {
      for (const key of keys) await tx.put('t', bytesOf(key), new Uint8Array(5_000))
    })
    await store.checkpoint()
    const snapshot = store.snapshot()
    const cursor = snapshot.scan('t', {})
    fails = true
    const reading = async (): Promise<unknown> => cursor.next(3)
    for (let i = 0; i < 2; i++) await expect(reading()).rejects.toMatchObject({ code: 'io_failed' })
    fails = false
    const seen: (string | undefined)[] = []
    for (const entriesMax of [2, 2, 10]) {
      const batch = await cursor.next(entriesMax)
      expect(batch.values.every(({ length }) => length === 5_000)).toBe(true)
      seen.push(...batch.keys.map((key) => textOf(key)))
    }
    expect(seen).toEqual(keys)
    expect((await cursor.next(10)).keys).toEqual([])
    snapshot.release()
    await store.close()
  },
)
