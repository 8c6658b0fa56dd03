/** The part of the KeyValueStore conformance suite that scans. */
import { expectEqual, expectTypeError } from '../files/conformance-asserts.ts'
import type { KeyRange, KeyValueStore, WriteTransaction } from './key-value-store.ts'
import { bytesOf, entriesOf, type OpenStore, textOf, write } from './store-conformance-support.ts'

type DefineTest = (name: string, body: (open: OpenStore) => Promise<void>) => void

const SIZE = 3000

/** Keys `0000`, `0002`, ... so that a bound may fall between two. */
function keyAt(index: number): string {
  return String(index * 2).padStart(4, '0')
}

export function defineScanTests(test: DefineTest): void {
  test('scan: any bounds, both directions, any batch size -> the entries between', async (open) => {
    const store = await filled(open)
    const snapshot = store.snapshot()
    const all = Array.from({ length: SIZE }, (_, i) => keyAt(i))
    const bounds = [undefined, '', '0000', '0001', '0998', '1001', '3000', '5998', '5999', '9']
    for (const low of bounds) {
      for (const high of bounds) {
        for (const inclusive of [true, false]) {
          const expected = all.filter((key) => isWithin(key, low, high, inclusive))
          const range = rangeOf(low, high, inclusive)
          const forward = await entriesOf(snapshot, 't', range, 701)
          expectEqual(
            forward.map(([key]) => key),
            expected,
          )
          const backward = await entriesOf(snapshot, 't', { ...range, reverse: true }, 97)
          expectEqual(
            backward.map(([key]) => key),
            expected.reverse(),
          )
        }
      }
    }
    snapshot.release()
  })

  test('scan: key and its extension -> the shorter first', async (open) => {
    const store = await open()
    const keys = [Uint8Array.of(1, 0), Uint8Array.of(1), Uint8Array.of(255), Uint8Array.of()]
    await write(store, async (tx) => {
      for (const key of keys) await tx.put('t', key, bytesOf('x'))
    })
    const snapshot = store.snapshot()
    const batch = await snapshot.scan('t', {}).next(10)
    expectEqual(
      batch.keys.map((key) => [...key]),
      [[], [1], [1, 0], [255]],
    )
    snapshot.release()
  })

  test('scan: at the end -> empty batches from then on', async (open) => {
    const store = await filled(open)
    const snapshot = store.snapshot()
    const cursor = snapshot.scan('t', { gte: bytesOf(keyAt(SIZE - 2)) })
    expectEqual((await cursor.next(10)).keys.length, 2)
    expectEqual((await cursor.next(10)).keys.length, 0)
    expectEqual((await cursor.next(10)).keys.length, 0)
    snapshot.release()
  })

  test('scan: of a transaction that deletes what it reads -> skips nothing', async (open) => {
    const store = await filled(open)
    await write(store, deleteAllByScan)
  })

  test('scan: of a transaction that deletes what it wrote -> skips nothing', async (open) => {
    const store = await open()
    await write(store, async (tx) => {
      await fill(tx)
      await deleteAllByScan(tx)
    })
  })

  test('view: of a transaction that goes on -> as it was, also where it was written before', async (open) => {
    const store = await filled(open)
    await write(store, async (tx) => {
      await tx.put('t', bytesOf('0001'), bytesOf('own'))
      await tx.put('own', bytesOf('a'), bytesOf('1'))
      const expected = await entriesOf(tx, 't')
      const view = tx.view()
      for (let i = 0; i < SIZE; i += 2) await tx.delete('t', bytesOf(keyAt(i)))
      await tx.put('t', bytesOf('0001'), bytesOf('later'))
      await tx.clear('own')
      await tx.put('new', bytesOf('a'), bytesOf('1'))
      expectEqual(await entriesOf(view, 't'), expected)
      expectEqual(textOf(await view.get('t', bytesOf('0001'))), 'own')
      expectEqual(await view.count('t'), SIZE + 1)
      expectEqual([...(await view.tables())].sort(), ['own', 't'])
      expectEqual((await entriesOf(tx, 't')).length, SIZE / 2 + 1)
      expectEqual(textOf(await tx.get('t', bytesOf('0001'))), 'later')
    })
    const snapshot = store.snapshot()
    expectEqual((await entriesOf(snapshot, 't')).length, SIZE / 2 + 1)
    snapshot.release()
  })

  test('view: between two writes of a key that was read before -> the key is there once', async (open) => {
    const store = await open()
    const key = bytesOf('b')
    await write(store, async (tx) => {
      await tx.put('t', bytesOf('c'), bytesOf('other'))
      expectEqual(await tx.get('t', key), undefined)
      await tx.put('t', key, bytesOf('first'))
      tx.view()
      await tx.put('t', key, bytesOf('second'))
    })
    const snapshot = store.snapshot()
    expectEqual(await snapshot.count('t'), 2)
    expectEqual(await entriesOf(snapshot, 't'), [
      ['b', 'second'],
      ['c', 'other'],
    ])
    snapshot.release()
  })

  test('scan: two lower bounds, or batches of none -> TypeError', async (open) => {
    const store = await open()
    const snapshot = store.snapshot()
    const key = bytesOf('a')
    await expectTypeError(() => snapshot.scan('t', { gt: key, gte: key }))
    await expectTypeError(() => snapshot.scan('t', { lt: key, lte: key }))
    await expectTypeError(() => snapshot.scan('t', {}).next(0))
    snapshot.release()
  })
}

async function filled(open: OpenStore): Promise<KeyValueStore> {
  const store = await open()
  await write(store, fill)
  return store
}

async function fill(tx: WriteTransaction): Promise<void> {
  for (let i = 0; i < SIZE; i++) await tx.put('t', bytesOf(keyAt(i)), bytesOf(`value ${i}`))
}

async function deleteAllByScan(tx: WriteTransaction): Promise<void> {
  const cursor = tx.scan('t', {})
  const seen: (string | undefined)[] = []
  for (;;) {
    const { keys } = await cursor.next(10)
    if (keys.length === 0) break
    for (const key of keys) {
      seen.push(textOf(key))
      expectEqual(await tx.delete('t', key), true)
    }
  }
  expectEqual(
    seen,
    Array.from({ length: SIZE }, (_, i) => keyAt(i)),
  )
  expectEqual(await tx.count('t'), 0)
}

function rangeOf(low: string | undefined, high: string | undefined, inclusive: boolean): KeyRange {
  return {
    ...(low === undefined ? {} : { [inclusive ? 'gte' : 'gt']: bytesOf(low) }),
    ...(high === undefined ? {} : { [inclusive ? 'lte' : 'lt']: bytesOf(high) }),
  }
}

function isWithin(
  key: string,
  low: string | undefined,
  high: string | undefined,
  inclusive: boolean,
): boolean {
  if (low !== undefined && (key < low || (!inclusive && key === low))) return false
  return high === undefined || key < high || (inclusive && key === high)
}
