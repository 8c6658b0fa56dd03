/** The worked examples of `docs/format.md` are the bytes that the engine writes. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Random } from '../random.ts'
import { SimulatedDisk } from '../simulated-disk.ts'
import { bytesOf, write } from '../store-conformance-support.ts'
import { promptScheduler } from '../store-workload.test-kit.ts'
import { openTreeStore } from '../tree-store.ts'
import { logName } from './log.test-kit.ts'
import { DATA } from './superblock.test-kit.ts'

const page = readFileSync(new URL('../../../../../docs/format.md', import.meta.url), 'utf8')

/** Offset and bytes of every line of the block under a heading. */
function exampleUnder(heading: string): [offset: number, bytes: number[]][] {
  const [, after = ''] = page.split(`### ${heading}\n`)
  const [, block = ''] = after.split('```')
  const lines: [number, number[]][] = []
  for (const line of block.split('\n')) {
    const match = /^([0-9a-f]{4}) ((?: {1,2}[0-9a-f]{2}(?= |$))+)/.exec(line)
    if (match?.[1] === undefined || match[2] === undefined) continue
    const bytes = match[2].trim().split(/ +/)
    lines.push([Number.parseInt(match[1], 16), bytes.map((byte) => Number.parseInt(byte, 16))])
  }
  return lines
}

async function exampleStore() {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), {
    durability: 'strict',
    scheduler: promptScheduler,
    randomBytes: (length) => Uint8Array.from({ length }, (_, i) => i),
  })
  return { disk, store }
}

/** The bytes from `from` to `to` are those shown, and nothing but zero where none are shown. */
function expectShown(
  bytes: Uint8Array,
  shown: readonly [number, readonly number[]][],
  from: number,
  to: number,
): void {
  const expected = new Uint8Array(to - from)
  for (const [offset, line] of shown) {
    if (offset >= from && offset < to) expected.set(line, offset - from)
  }
  expect(Buffer.from(bytes.subarray(from, to)).toString('hex')).toBe(
    Buffer.from(expected).toString('hex'),
  )
}

test('docs: the example of a data file -> every byte of a real one', async () => {
  const { disk, store } = await exampleStore()
  await write(store, async (tx) => {
    await tx.put('people', bytesOf('ada'), bytesOf('Lovelace'))
    await tx.put('people', bytesOf('alan'), bytesOf('Turing'))
  })
  await store.close()
  const data = disk.content(DATA)
  const shown = exampleUnder('Example of a data file')
  expect(shown.length).toBeGreaterThan(25)
  expectShown(data, shown, 0, 4096)
  expectShown(data, shown, 8192, data.length)
})

test('docs: the example of a frame -> every byte of a real one', async () => {
  const { disk, store } = await exampleStore()
  await write(store, async (tx) => {
    await tx.put('people', bytesOf('ada'), bytesOf('Lovelace'))
    await tx.put('people', bytesOf('alan'), bytesOf('Turing'))
    await tx.put('index', bytesOf('x'), bytesOf(''))
  })
  const shown = exampleUnder('Example of a frame')
  expect(shown.length).toBeGreaterThan(13)
  const log = disk.content(logName(1))
  expectShown(log, shown, 512, 0x25e)
  expect(log.subarray(0x25e).every((byte) => byte === 0)).toBe(true)
  await store.close()
})
