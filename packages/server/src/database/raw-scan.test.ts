import { EntiDB, memoryStorage } from '@entidb/core'
import { expect, test } from 'vitest'
import { type ServerReader, serverCollections, sortableNumber } from './collections.ts'
import { readPulledRow } from './oplog-row.ts'
import { readPage } from './pull-page.ts'
import { scanRows } from './raw-scan.ts'
import { openTestDatabase, push, put } from './sync-database.test-kit.ts'

const LARGE = 'x'.repeat(500_000)
const ROWS = 100
const FIRST_LARGE = 70

/** The oplog of small entities and then large ones, and how many bytes were read of it at a time. */
async function openOplog() {
  const storage = memoryStorage()
  const database = await openTestDatabase({ storage })
  for (let i = 0; i < ROWS; i += 10) {
    const ops = Array.from({ length: 10 }, (_, k) => {
      const n = i + k + 1
      return put(n, `x${n}`, 0, n > FIRST_LARGE ? LARGE : 'small')
    })
    await push(database, ops)
  }
  await database.close()
  const db = await EntiDB.open({ storage, collections: serverCollections })
  const snapshot = db.snapshot()
  const bytesAtOnce: number[] = []
  // What is used of it.
  const reader = {
    collection: () => ({
      async nextRaw(range: { limit: number }) {
        const raw = await snapshot.collection('server_oplog').nextRaw(range)
        bytesAtOnce.push(raw.reduce((sum, { bytes }) => sum + bytes.length, 0))
        return raw
      },
    }),
  } as unknown as ServerReader
  const close = async (): Promise<void> => {
    snapshot.release()
    await db.close()
  }
  return { reader, bytesAtOnce, close }
}

test('rows that are small and then large -> every one once, few bytes at a time', async () => {
  const { reader, bytesAtOnce, close } = await openOplog()
  const cursors: number[] = []
  const oplog = {
    collection: 'server_oplog' as const,
    read: readPulledRow,
    keyOf: ({ serverCursor }: { readonly serverCursor: number }) => sortableNumber(serverCursor),
  }
  for await (const rows of scanRows(reader, oplog, undefined)) {
    cursors.push(...rows.map(({ serverCursor }) => serverCursor))
  }
  const [first = 0] = cursors
  expect(cursors).toEqual(Array.from({ length: ROWS }, (_, i) => first + i))
  expect(Math.max(...bytesAtOnce)).toBeLessThan(3 * 2 ** 20)
  await close()
})

test('a page -> what is read for it is little more than what is in it', async () => {
  const { reader, bytesAtOnce, close } = await openOplog()
  const bytesMax = 2 * 2 ** 20
  const bounds = { opsMax: 1_000, bytesMax, rowsMax: 1_000 }
  const request = { sinceCursor: 0, head: 2 ** 40, bounds, isVisible: undefined }
  const { ops } = await readPage(reader, request)
  expect(ops).toHaveLength(FIRST_LARGE + 4)
  const read = bytesAtOnce.reduce((sum, bytes) => sum + bytes, 0)
  expect(read).toBeLessThan(bytesMax + 3 * 2 ** 20)
  await close()
})
