import { beforeAll, describe, expect, test } from 'vitest'
import type { Files } from '../format-reader/read-store.test-kit.ts'
import { bytesRead, type Damage, expectNothingWrong, flipped } from './bit-rot.test-kit.ts'
import { oneEntryFiles, type SmallFiles, smallFiles } from './small-files.test-kit.ts'

const SECTOR = 512

/** How often each outcome occurred. */
class Tally {
  readonly counts = new Map<string, number>()

  add(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1)
  }

  get outcomes(): string[] {
    return [...this.counts.keys()].sort()
  }
}

function sectorsOf(files: Files, file: string): Damage[] {
  const bytes = files.get(file) ?? new Uint8Array(0)
  const sectors: Damage[] = []
  for (let offset = 0; offset < bytes.length; offset += SECTOR) {
    sectors.push({ file, offset, bytes: bytes.slice(offset, offset + SECTOR) })
  }
  return sectors
}

describe('bit rot', () => {
  let stores: readonly SmallFiles[]

  beforeAll(async () => {
    stores = await smallFiles()
  })

  test.each([
    ['closed', ['corrupt', 'format_too_new', 'right']],
    ['with a log', ['corrupt', 'cut', 'format_too_new', 'right']],
    // Nothing of the first log may be cut, and the second one has no frame yet.
    ['with two logs', ['corrupt', 'format_too_new', 'right']],
  ])('a store %s: any byte flipped -> reported or harmless', async (name, expected) => {
    const small = stores.find((store) => store.name === name)
    if (small === undefined) throw new Error('no such store')
    const tally = new Tally()
    const places = await bytesRead(small)
    expect(places.length).toBeGreaterThan(1000)
    for (const { file, offset } of places) {
      const damage = flipped(small.files, file, offset, 1 << (offset % 8))
      tally.add(await expectNothingWrong(small, damage))
    }
    expect(tally.outcomes).toEqual(expected)
  })

  test('a store of one entry: any bit flipped -> reported or harmless', async () => {
    const small = await oneEntryFiles()
    const tally = new Tally()
    for (const { file, offset } of await bytesRead(small)) {
      for (let bit = 0; bit < 8; bit++) {
        tally.add(await expectNothingWrong(small, flipped(small.files, file, offset, 1 << bit)))
      }
    }
    expect(tally.outcomes).toEqual(['corrupt', 'format_too_new', 'right'])
  })

  test('a data file: a sector full of zeros, of ones or of another one -> reported or harmless', async () => {
    for (const small of stores) {
      const tally = new Tally()
      const sectors = sectorsOf(small.files, 'data.entidb')
      const used = sectors.filter(({ bytes }) => bytes.some((byte) => byte !== 0))
      for (const { file, offset } of sectors) {
        const contents = [0, 0xff].map((byte) => new Uint8Array(SECTOR).fill(byte))
        for (const bytes of [...contents, ...used.map((other) => other.bytes)]) {
          tally.add(await expectNothingWrong(small, { file, offset, bytes }))
        }
      }
      expect(tally.outcomes, small.name).toEqual(['corrupt', 'right'])
    }
  })
})
