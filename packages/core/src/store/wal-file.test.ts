import { expect, test } from 'vitest'
import { EntiDBError } from '../errors/entidb-error.ts'
import { Random } from './random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { WalFile } from './wal-file.ts'
import { WAL_FRAMES_OFFSET } from './wal-format.ts'

const NAME = 'wal-0000000001.entidb'
const ALLOCATION = 1024

/** A log whose writes can be made to find no space; a part is written all the same. */
async function openLog(seed: number) {
  const disk = new SimulatedDisk(new Random(seed))
  const control = { isFull: false }
  const mount = disk.mount({
    failure: (operation) =>
      control.isFull && operation === 'write'
        ? new EntiDBError('disk_full', 'simulated')
        : undefined,
  })
  const file = await mount.open(NAME, { create: true })
  if (file === undefined) throw new Error('not created')
  await mount.flushDirectory()
  return { disk, control, wal: await WalFile.create(file, ALLOCATION) }
}

test('append: no space, whatever part was written -> zeros behind the tail, the size as before', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { disk, control, wal } = await openLog(seed)
    await wal.append([new Uint8Array(200).fill(1)], 200)
    control.isFull = true
    // Fits for odd seeds, reaches beyond the allocated space for even ones.
    const bytes = new Uint8Array(seed % 2 === 0 ? 900 : 100).fill(2)
    expect(() => wal.append([bytes], bytes.length)).toThrow('simulated')
    control.isFull = false
    await wal.discardFailedAppend(bytes.length)
    disk.losePower()
    const content = disk.content(NAME)
    expect(content.length).toBe(ALLOCATION)
    const tail = WAL_FRAMES_OFFSET + 200
    expect(content.subarray(WAL_FRAMES_OFFSET, tail).every((byte) => byte === 1)).toBe(true)
    expect(content.subarray(tail).every((byte) => byte === 0)).toBe(true)
  }
})

test('append: after one without space -> takes its place', async () => {
  const { disk, control, wal } = await openLog(1)
  control.isFull = true
  expect(() => wal.append([new Uint8Array(300).fill(2)], 300)).toThrow('simulated')
  control.isFull = false
  await wal.discardFailedAppend(300)
  await wal.append([new Uint8Array(100).fill(3), new Uint8Array(50).fill(4)], 150)
  await wal.flush()
  const frames = disk.content(NAME).subarray(WAL_FRAMES_OFFSET)
  expect([frames[0], frames[100], frames[149], frames[150]]).toEqual([3, 4, 4, 0])
  expect(wal.frameBytes).toBe(150)
})

test('growAhead: little space left -> allocates zeros, also while frames are appended', async () => {
  const { disk, wal } = await openLog(1)
  await wal.append([new Uint8Array(400).fill(1)], 400)
  const grown = wal.growAhead()
  await wal.append([new Uint8Array(300).fill(2)], 300)
  await grown
  expect(wal.growAhead()).toBeUndefined()
  const content = disk.content(NAME)
  expect(content.length).toBe(2 * ALLOCATION)
  const end = WAL_FRAMES_OFFSET + 700
  expect(content.subarray(end - 300, end).every((byte) => byte === 2)).toBe(true)
  expect(content.subarray(end).every((byte) => byte === 0)).toBe(true)
})

test('growAhead: no space -> the size stays, frames still find room', async () => {
  const { disk, control, wal } = await openLog(1)
  await wal.append([new Uint8Array(400).fill(1)], 400)
  control.isFull = true
  await wal.growAhead()
  control.isFull = false
  expect(disk.content(NAME).length).toBe(ALLOCATION)
  expect(wal.growAhead()).toBeUndefined()
  await wal.append([new Uint8Array(300).fill(2)], 300)
  expect(disk.content(NAME).length).toBe(WAL_FRAMES_OFFSET + 700)
})
