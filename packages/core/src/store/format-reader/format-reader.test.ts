/** The page alone is enough: a reader written from `docs/format.md` finds what the engine finds. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isEntiDBError } from '../../errors/entidb-error.ts'
import { crc32 } from '../checksum.ts'
import { bytesOfPieces, goldenData, goldenDataInUse, goldenLog } from '../format-golden.test-kit.ts'
import { Random } from '../random.ts'
import { diskWith, SimulatedDisk } from '../simulated-disk.ts'
import { assertSameState, readState } from '../store-check.test-kit.ts'
import { tinySettings, Workload } from '../store-workload.test-kit.ts'
import { openTreeStore } from '../tree-store.ts'
import { FormatProblem } from './fields.test-kit.ts'
import { generationOf, logName } from './log.test-kit.ts'
import { type Files, readStore } from './read-store.test-kit.ts'
import { DATA } from './superblock.test-kit.ts'

const hexOf = (text: string): string => Buffer.from(text).toString('hex')

test('format reader: its sources -> import nothing from outside of their folder', () => {
  const folder = new URL('.', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.test-kit.ts'))
  expect(files.length).toBeGreaterThan(3)
  for (const name of files) {
    const source = readFileSync(new URL(name, folder), 'utf8')
    const imports = [...source.matchAll(/from '([^']+)'/g)].map((match) => match[1])
    for (const imported of imports) expect(imported, name).toMatch(/^\.\/[a-z-]+\.test-kit\.ts$/)
  }
})

describe('format reader: the golden files', () => {
  const people = new Map(
    [...Array.from({ length: 12 }, (_, i) => [`p${i + 10}`, 'x'.repeat(i + 10)] as const)].map(
      ([key, value]) => [hexOf(key), hexOf(value)],
    ),
  )
  people.set(hexOf('alan'), hexOf('Turing'))
  people.set(hexOf('photo'), 'aa'.repeat(100))
  const expected = new Map([['people', people]])

  test('sealed -> these entries, all kinds of extents, no log', () => {
    const found = readStore(new Map([[DATA, bytesOfPieces(goldenData)]]))
    assertSameState(found.tables, expected, 'golden')
    expect(found).toMatchObject({ lastLsn: 2, replayedCommits: 0, cut: undefined })
    expect([...found.data.extents.keys()].sort()).toEqual([1, 2, 3, 4, 5])
    expect(found.data.superblock.isSealed).toBe(true)
  })

  test('with a log -> the same entries, from two frames', () => {
    const found = readStore(
      new Map([
        [DATA, bytesOfPieces(goldenDataInUse)],
        [logName(1), bytesOfPieces(goldenLog)],
      ]),
    )
    assertSameState(found.tables, expected, 'golden')
    expect(found).toMatchObject({ lastLsn: 2, replayedCommits: 2, cut: undefined })
    expect(found.data.superblock.isSealed).toBe(false)
  })
})

/** The files at every flush and removal of a random workload, and after closing. */
async function filesOfWorkload(seed: number) {
  const random = new Random(seed)
  const disk = new SimulatedDisk(new Random(seed + 1))
  const images: Files[] = []
  const failure = (operation: string) => {
    const isStep = operation === 'flush' || operation === 'remove' || operation === 'flushDirectory'
    if (isStep && disk.names().includes(DATA)) images.push(disk.image())
    return undefined
  }
  const settings = tinySettings(random)
  const workload = new Workload(random)
  const store = await openTreeStore(
    disk.mount({ failure, isAsynchronous: seed % 2 === 0 }),
    settings,
  )
  await workload.run(store, 40)
  await store.close()
  images.push(disk.image())
  return { images, workload, settings }
}

function logsOf(files: Files): number {
  return [...files.keys()].filter((name) => generationOf(name) !== undefined).length
}

test('format reader: random stores at every flush, in use and closed -> what the engine finds', async () => {
  const seen = { sealed: 0, inUse: 0, chains: 0, replays: 0, values: 0, freeUnits: 0 }
  for (let seed = 1; seed <= 4; seed++) {
    const { images, workload, settings } = await filesOfWorkload(seed)
    expect(readStore(images.at(-1) ?? new Map()).lastLsn).toBe(workload.issued)
    for (const [index, image] of images.entries()) {
      const label = `seed ${seed}, image ${index}`
      const found = readStore(image)
      assertSameState(found.tables, workload.states[found.lastLsn], label)
      const store = await openTreeStore(diskWith(new Random(1), image).mount(), settings)
      const { lastLsn, replayedCommits } = found
      expect(store.recovery, label).toEqual({ lastLsn, replayedCommits })
      const snapshot = store.snapshot()
      assertSameState(await readState(snapshot), found.tables, label)
      snapshot.release()
      await store.close()
      seen.sealed += Number(found.data.superblock.isSealed)
      seen.inUse += Number(!found.data.superblock.isSealed)
      seen.chains += Number(logsOf(image) > 1)
      seen.replays += Number(found.replayedCommits > 0)
      seen.values += found.data.extents.get(3) ?? 0
      seen.freeUnits += found.data.freeUnits
    }
  }
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(3)
})

/** What the engine and the reader make of the same files: entries and report, or the code. */
async function outcomesOf(files: Files): Promise<{ engine: unknown; reader: unknown }> {
  const disk = diskWith(new Random(1), files)
  const outcome = async (open: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await open()
    } catch (error) {
      if (isEntiDBError(error) || error instanceof FormatProblem) return error.code
      throw error
    }
  }
  const reader = await outcome(async () => {
    const { tables, lastLsn, cut } = readStore(files)
    return { tables, lastLsn, cut }
  })
  const engine = await outcome(async () => {
    const store = await openTreeStore(disk.mount(), tinySettings(new Random(2)))
    try {
      const snapshot = store.snapshot()
      const { lastLsn, tailCut } = store.recovery
      return { tables: await readState(snapshot), lastLsn, cut: tailCut }
    } finally {
      await store.close()
    }
  })
  return { engine, reader }
}

test('format reader: logs of a chain cut, torn, exchanged or missing -> the engine agrees', async () => {
  const { images } = await filesOfWorkload(1)
  const chain = images.find((image) => logsOf(image) > 1 && readStore(image).replayedCommits > 1)
  if (chain === undefined) throw new Error('no chain of logs')
  const logs = [...chain.keys()].filter((name) => generationOf(name) !== undefined).sort()
  const outcomes = new Set<string>()
  const compare = async (label: string, changed: Files): Promise<void> => {
    const { engine, reader } = await outcomesOf(changed)
    expect(engine, label).toEqual(reader)
    outcomes.add(typeof reader === 'string' ? reader : 'read')
  }
  for (const name of logs) {
    const bytes = chain.get(name) ?? new Uint8Array(0)
    const without = new Map(chain)
    without.delete(name)
    await compare(`without ${name}`, without)
    for (let size = 0; size < bytes.length; size += 37) {
      await compare(`${name} cut to ${size}`, new Map(chain).set(name, bytes.slice(0, size)))
      const flipped = bytes.slice()
      flipped[size] = (flipped[size] ?? 0) ^ 1
      await compare(`${name} flipped at ${size}`, new Map(chain).set(name, flipped))
    }
  }
  const [first = '', second = ''] = logs
  const exchanged = new Map(chain)
  exchanged.set(first, chain.get(second) ?? new Uint8Array(0))
  exchanged.set(second, chain.get(first) ?? new Uint8Array(0))
  await compare('exchanged', exchanged)
  expect([...outcomes].sort()).toEqual(['corrupt', 'read'])
})

describe('format: a newer version', () => {
  const inUse = new Map([
    [DATA, bytesOfPieces(goldenDataInUse)],
    [logName(1), bytesOfPieces(goldenLog)],
  ])

  test.each([
    ['in the first superblock', DATA, 8],
    ['in the second superblock', DATA, 4096 + 8],
    ['in the log', logName(1), 8],
  ])(
    '%s -> format_too_new from engine and reader, every file left as it was',
    async (_, name, at) => {
      for (const version of [2, 3, 255, 65535]) {
        const bytes = inUse.get(name)?.slice() ?? new Uint8Array(0)
        const view = new DataView(bytes.buffer)
        view.setUint32(at, version, true)
        if (name !== DATA) view.setUint32(60, crc32(bytes.subarray(0, 60)), true)
        const newer = new Map(inUse).set(name, bytes)
        const disk = diskWith(new Random(1), newer)
        const operations: string[] = []
        const failure = (operation: string) => {
          operations.push(operation)
          return undefined
        }
        const opening = openTreeStore(disk.mount({ failure }), tinySettings(new Random(1)))
        await expect(opening).rejects.toMatchObject({
          code: 'format_too_new',
          details: { file: name, version, versionMax: 1 },
        })
        expect(disk.image()).toEqual(newer)
        expect(operations.every((operation) => ['open', 'list', 'read'].includes(operation))).toBe(
          true,
        )
        expect(() => readStore(newer)).toThrow(expect.objectContaining({ code: 'format_too_new' }))
      }
    },
  )
})
