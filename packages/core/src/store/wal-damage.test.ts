/** Logs that were cut, overwritten or rearranged on disk. */
import { expect, test } from 'vitest'
import { EntiDBError, isEntiDBError } from '../errors/entidb-error.ts'
import { crc32 } from './checksum.ts'
import { DATA_FILE, walFileName } from './format.ts'
import { Random } from './random.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import { assertSameFiles, readState } from './store-check.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { tinySettings } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'
import { decodeFrameHeader, FRAME_HEADER_BYTES, WAL_FRAMES_OFFSET } from './wal-format.ts'

const COMMITS = 6
const WAL = walFileName(1)
const settings = () => ({ ...tinySettings(new Random(5)), walCheckpointBytes: 1_000_000 })

type Image = Map<string, Uint8Array>

/** The files of a store that crashed after `COMMITS` commits, one frame each. */
async function crashedStore(commits = COMMITS): Promise<Image> {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), settings())
  for (let i = 1; i <= commits; i++) {
    await write(store, (tx) => tx.put('t', bytesOf(`key ${i}`), bytesOf('v'.repeat(i))))
  }
  return disk.image()
}

function walOf(image: Image): Uint8Array {
  const wal = image.get(WAL)
  if (wal === undefined) throw new Error('no log')
  return wal
}

interface Frame {
  readonly start: number
  readonly end: number
}

function framesOf(wal: Uint8Array): Frame[] {
  const frames: Frame[] = []
  for (let start = WAL_FRAMES_OFFSET; ; ) {
    const header = decodeFrameHeader(wal.subarray(start), undefined, crc32)
    if (header === undefined) return frames
    const end = start + FRAME_HEADER_BYTES + header.payloadBytes
    frames.push({ start, end })
    start = end
  }
}

function frameAt(frames: readonly Frame[], index: number): Frame {
  const frame = frames.at(index)
  if (frame === undefined) throw new Error('no such frame')
  return frame
}

/** What opening comes to: how many commits are there and what was cut, or the error. */
async function outcomeOf(image: Image) {
  const disk = diskWith(new Random(1), image)
  try {
    const store = await openTreeStore(disk.mount(), settings())
    const snapshot = store.snapshot()
    const state = await readState(snapshot)
    snapshot.release()
    await store.close()
    expect(state.get('t')?.size ?? 0).toBe(store.recovery.lastLsn)
    return { commits: store.recovery.lastLsn, cut: store.recovery.tailCut }
  } catch (error) {
    if (!isEntiDBError(error)) throw error
    assertSameFiles(disk.image(), image, 'a refused store is left untouched')
    return { code: error.code, ...error.details }
  }
}

function withWal(image: Image, wal: Uint8Array): Image {
  return new Map(image).set(WAL, wal)
}

test('log: cut at every byte -> the whole frames before it, and the cut is reported', async () => {
  const image = await crashedStore()
  const wal = walOf(image)
  const frames = framesOf(wal)
  expect(frames.length).toBe(COMMITS)
  for (let size = WAL_FRAMES_OFFSET; size <= frameAt(frames, -1).end; size++) {
    const commits = frames.filter(({ end }) => end <= size).length
    const end = commits === 0 ? WAL_FRAMES_OFFSET : frameAt(frames, commits - 1).end
    const outcome = await outcomeOf(withWal(image, wal.slice(0, size)))
    const used = wal.slice(0, size).findLastIndex((byte) => byte !== 0) + 1
    const cut = size > end ? { file: WAL, offset: end, bytes: used - end } : undefined
    expect(outcome, `cut to ${size}`).toEqual({ commits, cut })
  }
})

test('log: header cut or flipped -> corrupt', async () => {
  const image = await crashedStore()
  const wal = walOf(image)
  for (let at = 0; at < 64; at++) {
    const flipped = wal.slice()
    flipped[at] = (flipped[at] ?? 0) ^ 0x40
    const outcome = await outcomeOf(withWal(image, flipped))
    expect(outcome, `flip at ${at}`).toMatchObject({ code: 'corrupt' })
    expect(await outcomeOf(withWal(image, wal.slice(0, at)))).toMatchObject({ code: 'corrupt' })
  }
})

test('log: never in use, its header torn so that it looks like a newer version -> left out', async () => {
  const image = await crashedStore()
  const torn = walOf(image).slice(0, WAL_FRAMES_OFFSET)
  torn.set([0x6c, 0x33, 0, 0, 9], 8)
  const outcome = await outcomeOf(new Map(image).set(walFileName(2), torn))
  expect(outcome).toEqual({ commits: COMMITS, cut: undefined })
})

test('log: any byte of a frame flipped, with frames after it -> corrupt at that frame', async () => {
  const image = await crashedStore()
  const wal = walOf(image)
  const frames = framesOf(wal)
  for (const { start, end } of frames.slice(0, -1)) {
    for (let at = start; at < end; at++) {
      const flipped = wal.slice()
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
      const expected = { code: 'corrupt', file: WAL, offset: start }
      expect(await outcomeOf(withWal(image, flipped)), `flip at ${at}`).toEqual(expected)
    }
  }
})

test('log: any byte of the last frame flipped -> cut and reported', async () => {
  const image = await crashedStore()
  const wal = walOf(image)
  const { start, end } = frameAt(framesOf(wal), -1)
  for (let at = start; at < end; at++) {
    const flipped = wal.slice()
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
    const cut = { file: WAL, offset: start, bytes: end - start }
    expect(await outcomeOf(withWal(image, flipped))).toMatchObject({ commits: COMMITS - 1, cut })
  }
})

test('log: middle frame full of zeros -> corrupt', async () => {
  const image = await crashedStore()
  const wal = walOf(image).slice()
  const { start, end } = frameAt(framesOf(wal), 2)
  wal.fill(0, start, end)
  const expected = { code: 'corrupt', file: WAL, offset: start }
  expect(await outcomeOf(withWal(image, wal))).toEqual(expected)
})

test('log: last frame full of zeros -> one commit less, nothing to report', async () => {
  const image = await crashedStore()
  const wal = walOf(image).slice()
  const { start, end } = frameAt(framesOf(wal), -1)
  wal.fill(0, start, end)
  expect(await outcomeOf(withWal(image, wal))).toEqual({ commits: COMMITS - 1, cut: undefined })
})

test('log: garbage behind the tail -> all commits, and the cut is reported', async () => {
  const image = await crashedStore()
  const wal = walOf(image).slice()
  const { end } = frameAt(framesOf(wal), -1)
  wal.set(new Random(9).bytes(300).fill(1, 299), end + 10)
  const cut = { file: WAL, offset: end, bytes: 310 }
  expect(await outcomeOf(withWal(image, wal))).toEqual({ commits: COMMITS, cut })
})

test('log: frames of another generation behind the tail -> ignored', async () => {
  const image = await crashedStore()
  const wal = walOf(image).slice()
  const frames = framesOf(wal)
  const { start, end } = frameAt(frames, 3)
  const stranger = wal.slice(start, end)
  stranger[8] = (stranger[8] ?? 0) ^ 1
  new DataView(stranger.buffer).setUint32(40, crc32(stranger.subarray(0, 40)), true)
  const tail = frameAt(frames, -1).end
  wal.set(stranger, tail)
  const cut = { file: WAL, offset: tail, bytes: stranger.length }
  expect(await outcomeOf(withWal(image, wal))).toEqual({ commits: COMMITS, cut })
})

test('log: frames swapped, doubled or missing -> corrupt where the order breaks', async () => {
  const image = await crashedStore()
  const wal = walOf(image)
  const frames = framesOf(wal)
  const piece = (index: number) => {
    const { start, end } = frameAt(frames, index)
    return wal.slice(start, end)
  }
  const rearrangements = [
    { order: [0, 1, 3, 2, 4, 5], at: 2 },
    { order: [0, 1, 2, 3, 4, 5, 5], at: 6 },
    { order: [0, 1, 1, 2, 3, 4, 5], at: 2 },
    { order: [0, 1, 2, 4, 5], at: 3 },
    { order: [1, 2, 3, 4, 5], at: 0 },
  ]
  for (const { order, at } of rearrangements) {
    const pieces = [wal.slice(0, WAL_FRAMES_OFFSET), ...order.map(piece)]
    const offset = pieces.slice(0, at + 1).reduce((sum, { length }) => sum + length, 0)
    const outcome = await outcomeOf(withWal(image, Buffer.concat([...pieces, new Uint8Array(500)])))
    expect(outcome, String(order)).toEqual({ code: 'corrupt', file: WAL, offset })
  }
})

test('log: missing -> corrupt', async () => {
  const image = await crashedStore()
  image.delete(WAL)
  expect(await outcomeOf(image)).toEqual({ code: 'corrupt', file: WAL, offset: 0 })
})

test('log: of another store -> corrupt', async () => {
  const image = await crashedStore()
  const disk = new SimulatedDisk(new Random(77))
  const other = { ...settings(), randomBytes: (length: number) => new Random(78).bytes(length) }
  const store = await openTreeStore(disk.mount(), other)
  await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
  const outcome = await outcomeOf(withWal(image, disk.content(WAL)))
  expect(outcome).toEqual({ code: 'corrupt', file: WAL, offset: 0 })
})

test('close: then a log put back or the tail of one cut -> the closed state, not the log', async () => {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), settings())
  await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
  const stale = disk.content(WAL).slice()
  await write(store, (tx) => tx.put('t', bytesOf('b'), bytesOf('2')))
  await store.close()
  expect(disk.names()).toEqual([DATA_FILE])
  expect(await outcomeOf(disk.image().set(WAL, stale))).toEqual({ commits: 2, cut: undefined })
})

test('close: without space for a checkpoint, then the tail of the log cut -> corrupt', async () => {
  const random = new Random(1)
  const disk = new SimulatedDisk(random)
  let isFull = false
  const failure = (operation: string, file: string) =>
    isFull && operation === 'write' && file === DATA_FILE ? diskFullOnce() : undefined
  const diskFullOnce = () => {
    isFull = false
    return new EntiDBError('disk_full', 'simulated')
  }
  const store = await openTreeStore(disk.mount({ failure }), settings())
  await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
  await write(store, (tx) => tx.put('t', bytesOf('b'), bytesOf('2')))
  isFull = true
  await store.close()
  const image = disk.image()
  expect(await outcomeOf(image)).toEqual({ commits: 2, cut: undefined })
  const { start } = frameAt(framesOf(walOf(image)), -1)
  expect(await outcomeOf(withWal(image, walOf(image).slice(0, start)))).toEqual({
    code: 'corrupt',
    file: WAL,
    offset: start,
  })
})
