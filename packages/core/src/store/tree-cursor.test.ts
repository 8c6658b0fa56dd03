import { expect, test } from 'vitest'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
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
