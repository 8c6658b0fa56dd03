/**
 * The bytes of the format, fixed: a store written with known random bytes, and read back from text.
 * When this fails, the format changed: that needs a new format version and a new `docs/format.md`.
 */
import { expect, test } from 'vitest'
import { DATA_FILE, walFileName } from './format.ts'
import {
  bytesOfPieces,
  goldenData,
  goldenDataInUse,
  goldenLog,
  type Pieces,
} from './format-golden.test-kit.ts'
import { Random } from './random.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import { hex, readState } from './store-check.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { promptScheduler } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

const settings = {
  durability: 'strict',
  nodeBytes: 256,
  largeValueBytes: 64,
  walAllocationBytes: 1024,
  scheduler: promptScheduler,
  // 00 01 02 ... for the store's id and the salt.
  randomBytes: (length: number) => Uint8Array.from({ length }, (_, i) => i),
} as const

/** Runs of bytes between long stretches of zeros, as offset and hexadecimal. */
function piecesOf(bytes: Uint8Array): Pieces {
  const pieces: [number, string][] = []
  for (let offset = 0; offset < bytes.length; offset += 64) {
    const part = bytes.subarray(offset, offset + 64)
    if (part.every((byte) => byte === 0)) continue
    const last = pieces.at(-1)
    if (last !== undefined && last[0] + last[1].length / 2 === offset) last[1] += hex(part)
    else pieces.push([offset, hex(part)])
  }
  return pieces
}

/** `log` and `dataInUse` as they are after two commits, `data` as it is after closing. */
async function writeGolden() {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), settings)
  await write(store, async (tx) => {
    await tx.put('people', bytesOf('ada'), bytesOf('Lovelace'))
    await tx.put('people', bytesOf('alan'), bytesOf('Turing'))
    await tx.put('index', bytesOf('x'), bytesOf(''))
  })
  await write(store, async (tx) => {
    await tx.delete('people', bytesOf('ada'))
    await tx.clear('index')
    for (let i = 10; i < 22; i++) await tx.put('people', bytesOf(`p${i}`), bytesOf('x'.repeat(i)))
    await tx.put('people', bytesOf('photo'), new Uint8Array(100).fill(0xaa))
  })
  const log = disk.content(walFileName(1)).slice()
  const dataInUse = disk.content(DATA_FILE).slice()
  await store.close()
  return { log, dataInUse, data: disk.content(DATA_FILE).slice() }
}

test('format: a log with two frames -> these bytes', async () => {
  expect(piecesOf((await writeGolden()).log)).toEqual(goldenLog)
})

test('format: the data file beside it -> these bytes', async () => {
  expect(piecesOf((await writeGolden()).dataInUse)).toEqual(goldenDataInUse)
})

test('format: a sealed data file -> these bytes', async () => {
  expect(piecesOf((await writeGolden()).data)).toEqual(goldenData)
})

test('format: stored bytes of this version -> read back', async () => {
  const sealed = new Map([[DATA_FILE, bytesOfPieces(goldenData)]])
  const crashed = new Map([
    [DATA_FILE, bytesOfPieces(goldenDataInUse)],
    [walFileName(1), bytesOfPieces(goldenLog)],
  ])
  for (const image of [sealed, crashed]) {
    const store = await openTreeStore(diskWith(new Random(1), image).mount(), settings)
    const snapshot = store.snapshot()
    const state = await readState(snapshot)
    expect([...state.keys()]).toEqual(['people'])
    expect(state.get('people')?.size).toBe(14)
    expect(state.get('people')?.get(hex(bytesOf('alan')))).toBe(hex(bytesOf('Turing')))
    expect(store.recovery.lastLsn).toBe(2)
    snapshot.release()
    await store.close()
  }
})
