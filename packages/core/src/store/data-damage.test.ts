/** Data files that were damaged on disk, or are none. `proof/bit-rot.test.ts` flips every byte. */
import { expect, test } from 'vitest'
import { EntiDBError, isEntiDBError } from '../errors/entidb-error.ts'
import { DATA_FILE, walFileName } from './format.ts'
import { Random } from './random.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import { readState } from './store-check.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { tinySettings } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

const SECOND_SLOT = 4096
const FIRST_EXTENT = 8192

type Image = Map<string, Uint8Array>

async function closedStore(): Promise<Image> {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), tinySettings(new Random(1)))
  await write(store, async (tx) => {
    for (let i = 0; i < 60; i++) await tx.put('t', bytesOf(`key ${i}`), bytesOf(`value ${i}`))
    await tx.put('t', bytesOf('large'), new Uint8Array(600).fill(7))
  })
  await store.close()
  return disk.image()
}

/** Opens and reads everything; the code of the error it meets. */
async function outcomeOf(image: Image): Promise<string> {
  const disk = diskWith(new Random(1), image)
  try {
    const store = await openTreeStore(disk.mount(), tinySettings(new Random(2)))
    try {
      const snapshot = store.snapshot()
      const state = await readState(snapshot)
      return `${state.get('t')?.size ?? 0} entries`
    } finally {
      await store.close()
    }
  } catch (error) {
    if (isEntiDBError(error)) return error.code
    throw error
  }
}

function changed(image: Image, name: string, change: (bytes: Uint8Array) => void): Image {
  const bytes = image.get(name)?.slice() ?? new Uint8Array(0)
  change(bytes)
  return new Map(image).set(name, bytes)
}

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 0x20
}

test('superblock: one of the two damaged -> the other one is used', async () => {
  const image = await closedStore()
  for (const slot of [0, SECOND_SLOT]) {
    for (let at = 16; at < 512; at += 7) {
      expect(await outcomeOf(changed(image, DATA_FILE, (bytes) => flip(bytes, slot + at)))).toBe(
        '61 entries',
      )
    }
    const zeros = changed(image, DATA_FILE, (bytes) => bytes.fill(0, slot, slot + 512))
    expect(await outcomeOf(zeros)).toBe('61 entries')
  }
})

test('superblock: both damaged -> corrupt', async () => {
  const image = await closedStore()
  const damaged = changed(image, DATA_FILE, (bytes) => {
    flip(bytes, 40)
    flip(bytes, SECOND_SLOT + 40)
  })
  expect(await outcomeOf(damaged)).toBe('corrupt')
})

test('superblock: the one that demands the log damaged, the log in use -> its commits are there', async () => {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), tinySettings(new Random(1)))
  await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
  for (const slot of [0, SECOND_SLOT]) {
    const image = changed(disk.image(), DATA_FILE, (bytes) => flip(bytes, slot + 40))
    expect(await outcomeOf(image)).toBe('1 entries')
  }
})

test('format: newer version in either superblock -> format_too_new, files untouched', async () => {
  const image = await closedStore()
  for (const slot of [0, SECOND_SLOT]) {
    const newer = changed(image, DATA_FILE, (bytes) => {
      bytes[slot + 8] = 2
    })
    const disk = diskWith(new Random(1), newer)
    await expect(openTreeStore(disk.mount(), tinySettings(new Random(1)))).rejects.toMatchObject({
      code: 'format_too_new',
      details: { file: DATA_FILE, version: 2, versionMax: 1 },
    })
    expect(disk.image()).toEqual(newer)
  }
})

test('data file: a damaged leaf -> that read fails with its offset, others work', async () => {
  const image = await closedStore()
  const damaged = changed(image, DATA_FILE, (bytes) => flip(bytes, FIRST_EXTENT + 30))
  const disk = diskWith(new Random(1), damaged)
  const store = await openTreeStore(disk.mount(), tinySettings(new Random(2)))
  const snapshot = store.snapshot()
  const outcomes = new Set<string>()
  for (let i = 0; i < 60; i++) {
    try {
      await snapshot.get('t', bytesOf(`key ${i}`))
      outcomes.add('read')
    } catch (error) {
      expect(error).toMatchObject({
        code: 'corrupt',
        details: { file: DATA_FILE, offset: FIRST_EXTENT },
      })
      outcomes.add('corrupt')
    }
  }
  expect(outcomes).toEqual(new Set(['read', 'corrupt']))
  await store.close()
})

test('data file: two extents exchanged -> corrupt', async () => {
  const image = await closedStore()
  const exchanged = changed(image, DATA_FILE, (bytes) => {
    const first = bytes.slice(FIRST_EXTENT, FIRST_EXTENT + 512)
    bytes.copyWithin(FIRST_EXTENT, FIRST_EXTENT + 512, FIRST_EXTENT + 1024)
    bytes.set(first, FIRST_EXTENT + 512)
  })
  expect(await outcomeOf(exchanged)).toBe('corrupt')
})

test.each([
  ['empty', new Uint8Array(0)],
  ['one byte', Uint8Array.of(1)],
  ['zeros', new Uint8Array(9000)],
  ['random', new Random(4).bytes(9000)],
])('data file: %s -> not_a_database, untouched', async (_, bytes) => {
  const image: Image = new Map([[DATA_FILE, bytes]])
  const disk = diskWith(new Random(1), image)
  await expect(openTreeStore(disk.mount(), tinySettings(new Random(1)))).rejects.toMatchObject({
    code: 'not_a_database',
  })
  expect(disk.image()).toEqual(image)
})

test('data file: missing beside a log -> corrupt', async () => {
  const image: Image = new Map([[walFileName(1), new Uint8Array(600)]])
  expect(await outcomeOf(image)).toBe('corrupt')
})

test('read: fails once, then works -> the error reaches the caller, the next read succeeds', async () => {
  const image = await closedStore()
  const disk = diskWith(new Random(1), image)
  let isFailing = false
  const failure = (operation: string) =>
    isFailing && operation === 'read' ? new EntiDBError('io_failed', 'simulated') : undefined
  const store = await openTreeStore(disk.mount({ failure }), tinySettings(new Random(2)))
  const snapshot = store.snapshot()
  isFailing = true
  expect(() => snapshot.get('t', bytesOf('large'))).toThrow('simulated')
  isFailing = false
  expect(await snapshot.get('t', bytesOf('large'))).toEqual(new Uint8Array(600).fill(7))
  snapshot.release()
  expect(store.stats().state).toBe('open')
  await store.close()
})
