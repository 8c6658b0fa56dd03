import { expect, test } from 'vitest'
import type { File } from '../../files/file-system.ts'
import { Random } from '../random.ts'
import { SimulatedDisk } from '../simulated-disk.ts'
import { powerLosses } from './power-losses.test-kit.ts'

async function diskWithFile(): Promise<{ disk: SimulatedDisk; file: File }> {
  const disk = new SimulatedDisk(new Random(1))
  const mount = disk.mount()
  const file = await mount.open('f', { create: true })
  if (file === undefined) throw new Error('not created')
  await mount.flushDirectory()
  return { disk, file }
}

function outcomesOf(disk: SimulatedDisk): string[] {
  return [...powerLosses(disk, new Random(1), 0)].map((files) =>
    [...files].map(([name, bytes]) => `${name}=${[...bytes].join('')}`).join(),
  )
}

test('power loss: everything flushed -> one outcome', async () => {
  const { disk, file } = await diskWithFile()
  await file.writeAt(0, Uint8Array.of(1))
  await file.flush()
  expect(outcomesOf(disk)).toEqual(['f=1'])
})

test('power loss: three writes not flushed -> every combination', async () => {
  const { disk, file } = await diskWithFile()
  for (let i = 0; i < 3; i++) await file.writeAt(i, Uint8Array.of(i + 1))
  expect(outcomesOf(disk).sort()).toEqual([
    'f=',
    'f=003',
    'f=02',
    'f=023',
    'f=1',
    'f=103',
    'f=12',
    'f=123',
  ])
})

test('power loss: names not flushed -> there, or as before', async () => {
  const { disk, file } = await diskWithFile()
  await file.writeAt(0, Uint8Array.of(7))
  await file.flush()
  await disk.mount().rename('f', 'g')
  expect(outcomesOf(disk).sort()).toEqual(['f=7', 'g=7'])
})

test('power loss: a write over three sectors -> torn between them', async () => {
  const { disk, file } = await diskWithFile()
  await file.truncate(1536)
  await file.flush()
  await file.writeAt(100, new Uint8Array(1400).fill(1))
  const outcomes = [...powerLosses(disk, new Random(1), 0)].map((files) => {
    const bytes = files.get('f') ?? new Uint8Array(0)
    return [0, 512, 1024].map((start) => bytes[start + 200]).join('')
  })
  expect(outcomes.sort()).toEqual(['000', '001', '011', '100', '110', '111'])
})
