/** Scans of trees that are larger than the cache: what they read, and what they leave in memory. */
import { describe, expect, test } from 'vitest'
import { EntiDBError, isEntiDBError } from '../errors/entidb-error.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { crc32 } from './checksum.ts'
import { type Extent, UNIT_BYTES, unitsOf } from './extent.ts'
import { EXTENT_HEADER_BYTES, extentKinds, sealExtent } from './extent-codec.ts'
import { DATA_FILE } from './format.ts'
import type { KeyValueStore, StoreSnapshot } from './key-value-store.ts'
import { EditToken, type Leaf, leafOf, NodeRef } from './node.ts'
import { NodeCache } from './node-cache.ts'
import { encodeNode } from './node-codec.ts'
import { PageFile } from './page-file.ts'
import { Random } from './random.ts'
import { ReadAhead, runFrom } from './read-ahead.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import type { MountOptions } from './simulated-mount.ts'
import { bytesOf, entriesOf, textOf, write } from './store-conformance-support.ts'
import { promptScheduler } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

const NODE_BYTES = 1024
const settings = {
  durability: 'strict',
  nodeBytes: NODE_BYTES,
  scheduler: promptScheduler,
  cacheBytes: 50_000,
} as const
const SIZE = 4000

const keyAt = (i: number): string => `key ${String(i).padStart(5, '0')}`
const valueAt = (i: number): string => `value ${i}`.padEnd(80)
const allEntries = Array.from({ length: SIZE }, (_, i) => [keyAt(i), valueAt(i)])

/** Some 500 leaves, ten times as much as the cache may hold. */
async function closedStore(): Promise<Map<string, Uint8Array>> {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), settings)
  for (let from = 0; from < SIZE; from += 500) {
    await write(store, async (tx) => {
      for (let i = from; i < from + 500; i++) {
        await tx.put('t', bytesOf(keyAt(i)), bytesOf(valueAt(i)))
      }
    })
  }
  await store.close()
  return disk.image()
}

async function withStore(
  image: Map<string, Uint8Array>,
  options: MountOptions,
  body: (snapshot: StoreSnapshot, store: KeyValueStore) => Promise<void>,
  cacheBytes: number = settings.cacheBytes,
): Promise<void> {
  const disk = diskWith(new Random(2), image)
  const store = await openTreeStore(disk.mount(options), { ...settings, cacheBytes })
  const snapshot = store.snapshot()
  await body(snapshot, store)
  snapshot.release()
  await store.close()
}

describe.each([false, true])(
  'scan of more than the cache holds, promises: %s',
  (isAsynchronous) => {
    test('both directions, any bounds and batches -> every entry once, few reads, bounded memory', async () => {
      const random = new Random(3)
      let reads = 0
      const onRead = () => reads++
      await withStore(await closedStore(), { isAsynchronous, onRead }, async (snapshot, store) => {
        for (let round = 0; round < 12; round++) {
          const [from, to] = round < 4 ? [0, SIZE] : [random.below(2000), 2000 + random.below(2000)]
          const range = { gte: bytesOf(keyAt(from)), lt: bytesOf(keyAt(to)) }
          const expected = allEntries.slice(from, to)
          reads = 0
          const batch = round < 4 ? 1000 : 1 + random.below(300)
          expect(await entriesOf(snapshot, 't', range, batch)).toEqual(expected)
          // A leaf holds some eight of them.
          if (round < 4) expect(reads).toBeLessThan(SIZE / 8 / 4)
          const backward = await entriesOf(snapshot, 't', { ...range, reverse: true }, batch)
          expect(backward).toEqual(expected.reverse())
          expect(store.stats().cacheBytes).toBeLessThan(2 * settings.cacheBytes)
        }
      })
    })

    test('few entries are asked for -> no leaf is read that they do not need', async () => {
      const offsets: number[] = []
      const onRead = (_: string, offset: number, length: number) => {
        for (let unit = 0; unit * UNIT_BYTES < length; unit++)
          offsets.push(offset / UNIT_BYTES + unit)
      }
      await withStore(await closedStore(), { isAsynchronous, onRead }, async (snapshot) => {
        await snapshot.get('t', bytesOf(keyAt(0)))
        offsets.length = 0
        await snapshot.scan('t', { gt: bytesOf(keyAt(2000)) }).next(3)
        const leafUnits = NODE_BYTES / UNIT_BYTES
        // Two leaves, and two branches above them.
        expect(offsets.length).toBeLessThanOrEqual(4 * leafUnits)
        offsets.length = 0
        const range = { gte: bytesOf(keyAt(3000)), lt: bytesOf(keyAt(3040)) }
        expect(await entriesOf(snapshot, 't', range, 1000)).toHaveLength(40)
        // Six leaves at most, one behind the range, and a branch or two.
        expect(offsets.length).toBeLessThanOrEqual(9 * leafUnits)
      })
    })

    test('what is asked for often, then a long scan -> is still in memory', async () => {
      let reads = 0
      const onRead = () => reads++
      // A third of the leaves, beside all branches.
      const cacheBytes = 300_000
      const body = async (snapshot: StoreSnapshot) => {
        const getHot = async () => {
          for (let i = 0; i < 160; i++) {
            expect(textOf(await snapshot.get('t', bytesOf(keyAt(i))))).toBe(valueAt(i))
          }
        }
        for (let round = 0; round < 3; round++) await getHot()
        for (let round = 0; round < 3; round++) await entriesOf(snapshot, 't', {}, 50)
        reads = 0
        await getHot()
        expect(reads).toBe(0)
      }
      await withStore(await closedStore(), { isAsynchronous, onRead }, body, cacheBytes)
    })

    test('a damaged leaf -> the scan fails there with its offset, and what lies beside it is read', async () => {
      const image = await closedStore()
      const offset = placeOf(image, 2000)
      image.get(DATA_FILE)?.fill(0xee, offset + 100, offset + 101)
      await withStore(image, { isAsynchronous }, async (snapshot) => {
        const seen = new Set<string>()
        for (const reverse of [false, true]) {
          const cursor = snapshot.scan('t', { reverse })
          const failure = await (async () => {
            for (;;) {
              const { keys } = await cursor.next(7)
              if (keys.length === 0) return undefined
              for (const key of keys) seen.add(textOf(key) ?? '')
            }
          })().catch((error: unknown) => error)
          expect(failure).toMatchObject({ code: 'corrupt', details: { file: DATA_FILE, offset } })
        }
        expect(seen.size).toBeLessThan(SIZE)
        // No more is missed than that leaf, and what its batches had before it.
        expect(seen.size).toBeGreaterThan(SIZE - 30)
      })
    })

    test('reading several at once fails -> each is read alone; so does that, once -> the error, and then the rest', async () => {
      let length = 0
      let failsAlone = false
      const onRead = (_file: string, _offset: number, bytes: number) => {
        length = bytes
      }
      const failure = (operation: string) =>
        operation === 'read' && (length > 2 * NODE_BYTES || failsAlone)
          ? new EntiDBError('io_failed', 'simulated')
          : undefined
      await withStore(
        await closedStore(),
        { isAsynchronous, onRead, failure },
        async (snapshot) => {
          expect(await entriesOf(snapshot, 't', {}, 1000)).toEqual(allEntries)
          const cursor = snapshot.scan('t', {})
          let seen = (await cursor.next(100)).keys.length
          failsAlone = true
          const outcome = await untilFailure(async () => {
            seen += (await cursor.next(100)).keys.length
          })
          expect(isEntiDBError(outcome, 'io_failed')).toBe(true)
          failsAlone = false
          for (;;) {
            const { keys } = await cursor.next(100)
            if (keys.length === 0) break
            expect(textOf(keys[0])).toBe(keyAt(seen))
            seen += keys.length
          }
          expect(seen).toBe(SIZE)
        },
      )
    })
  },
)

async function untilFailure(action: () => Promise<void>): Promise<unknown> {
  for (;;) {
    try {
      await action()
    } catch (error) {
      return error
    }
  }
}

/** Offset in the data file of the leaf that has entry `i`. */
function placeOf(image: Map<string, Uint8Array>, i: number): number {
  const found = Buffer.from(image.get(DATA_FILE) ?? []).lastIndexOf(keyAt(i))
  const start = Math.floor(found / UNIT_BYTES) * UNIT_BYTES
  const view = new DataView((image.get(DATA_FILE) ?? new Uint8Array()).buffer)
  for (let offset = start; ; offset -= UNIT_BYTES) {
    const isLeaf = view.getUint32(offset, true) === extentKinds.leaf
    if (isLeaf && view.getUint32(offset + 8, true) === offset / UNIT_BYTES) return offset
  }
}

const edit = new EditToken()

describe('run', () => {
  const refAt = (start: number, bytes = 1000) => new NodeRef(undefined, { start, bytes })
  const runOf = (refs: NodeRef[], index: number, step: 1 | -1, count = 100) =>
    runFrom(refs[index]?.extent ?? { start: 0, bytes: 0 }, { children: refs, index, step, count })

  test('neighbours, near ones and far ones -> those before the first that is far', () => {
    const refs = [16, 18, 20, 36, 80].map((start) => refAt(start))
    expect(runOf(refs, 0, 1).stretch).toEqual({ start: 16, bytes: 20 * UNIT_BYTES + 1000 })
    expect(runOf(refs, 0, 1, 2).extents).toHaveLength(3)
    expect(runOf(refs, 3, -1).stretch).toEqual({ start: 16, bytes: 20 * UNIT_BYTES + 1000 })
    expect(runOf(refs, 4, 1).extents).toHaveLength(1)
    expect(runOf(refs, 4, -1).extents).toHaveLength(1)
  })

  test('many neighbours -> 64 KiB of them; one that is larger -> it alone', () => {
    const refs = Array.from({ length: 100 }, (_, i) => refAt(16 + i * 8, 4000))
    expect(runOf(refs, 0, 1).extents).toHaveLength(16)
    expect(runOf([refAt(16, 100_000), refAt(16 + unitsOf(100_000))], 0, 1).extents).toHaveLength(1)
  })

  test('one is in memory -> is passed over; has no place -> is the end', () => {
    const refs = [16, 18, 20].map((start) => refAt(start))
    const [, middle] = refs
    if (middle === undefined) throw new Error('there are three')
    middle.node = leafOf(edit, bytesOf('a'), bytesOf('b'))
    expect(runOf(refs, 0, 1).extents.map(({ start }) => start)).toEqual([16, 20])
    middle.node = undefined
    middle.extent = undefined
    expect(runOf(refs, 0, 1).extents.map(({ start }) => start)).toEqual([16])
  })
})

test('a leaf gets its place between two that were read, and is written later -> what was there before is not taken for it', async () => {
  const storeId = new Uint8Array(16)
  const file = await createMemoryFileSystem().open('f', { create: true })
  if (file === undefined) throw new Error('it was to be created')
  const pages = new PageFile(file, storeId, crc32, new NodeCache(0))
  const writeLeaf = async (start: number, leaf: Leaf): Promise<Extent> => {
    const bytes = encodeNode(leaf, new Uint8Array(UNIT_BYTES))
    const payload = bytes.subarray(EXTENT_HEADER_BYTES)
    const header = { kind: extentKinds.leaf, start, count: leaf.size, storeId }
    sealExtent(bytes, header, payload.length, crc32(payload), crc32)
    await file.writeAt(start * UNIT_BYTES, bytes)
    return { start, bytes: bytes.length }
  }
  const leaf = (key: string, value: string) => leafOf(edit, bytesOf(key), bytesOf(value))
  const first = new NodeRef(undefined, await writeLeaf(16, leaf('a', 'first')))
  await writeLeaf(17, leaf('b', 'older'))
  const last = new NodeRef(undefined, await writeLeaf(18, leaf('c', 'third')))
  const newer = leaf('b', 'newer')
  const middle = new NodeRef(newer, undefined)
  middle.extent = { start: 17, bytes: (await writeLeaf(40, newer)).bytes }
  const children = [first, middle, last]
  const ahead = new ReadAhead()
  const valueUnder = async (index: number): Promise<string | undefined> => {
    const ref = children[index]
    if (ref === undefined) throw new Error('there are three')
    const node = await pages.loadForScan(ref, ahead, () => ({ children, index, step: 1, count: 2 }))
    return node.kind === 'leaf' ? textOf(node.entries.valueAt(0)) : undefined
  }
  expect(await valueUnder(0)).toBe('first')
  await writeLeaf(17, newer)
  middle.node = undefined
  expect(await valueUnder(1)).toBe('newer')
  expect(await valueUnder(2)).toBe('third')
})
