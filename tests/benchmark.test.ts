import { describe, expect, test } from 'vitest'
import { formatTable, median } from '../bench/figures.mjs'
import {
  checksumAt,
  checksumOf,
  distinctIndexes,
  emailOf,
  entityAt,
  idAt,
} from '../bench/harness/data-set.mjs'
import { formatPage } from '../bench/harness/docs/page.mjs'
import { bestPeerOf, judge } from '../bench/harness/goals.mjs'
import { LineUp } from '../bench/harness/line-up.mjs'
import { parseOptions, usageOf } from '../bench/harness/options.mjs'
import { runRounds } from '../bench/harness/rounds.mjs'
import { Samples } from '../bench/harness/samples.mjs'
import { SUITE_NAMES, suiteNamed } from '../bench/harness/suites.mjs'
import { assertHolds, stateOf } from '../bench/sync/checks.mjs'
import { editAt } from '../bench/sync/edits.mjs'

describe('figures', () => {
  test.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('median: %j -> %d', (numbers, expected) => {
    expect(median(numbers)).toBe(expected)
  })

  test('table: ours and a peer -> medians, extremes, ours over theirs', () => {
    const table = formatTable([
      { name: 'ours', rates: [3000, 1000, 2000] },
      { name: 'theirs', rates: [1000] },
    ])
    expect(table.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['engine', 'median/s', 'min', 'max', 'ours is'],
      ['ours', '2,000', '1,000', '3,000'],
      ['theirs', '1,000', '1,000', '1,000', '2.00 x'],
    ])
  })
})

describe('goals', () => {
  const peers = ['lmdb', 'classic-level', 'better-sqlite3']
  const rate = { name: 'get', unit: 'gets/s', goals: [{ over: 'best peer', least: 1.3 }] }
  const size = {
    name: 'disk',
    unit: 'MiB',
    lessIsBetter: true,
    goals: [{ over: 'better-sqlite3', most: 1 }],
  }
  const judgeBy = (row: Parameters<typeof judge>[0], figures: { [engine: string]: number }) =>
    judge(row, () => new Map(Object.entries(figures)), peers)

  test.each([
    [130, true, '1.30 x'],
    [129, false, '1.29 x'],
  ])('least ratio: ours %d to 100 of the best peer -> %s', (ours, holds, measured) => {
    expect(judgeBy(rate, { entidb: ours, lmdb: 100, 'classic-level': 50 })).toEqual([
      { wanted: 'at least 1.3 x the best peer, lmdb', measured, holds },
    ])
  })

  test('best peer: less is better -> the least', () => {
    const medians = new Map(Object.entries({ entidb: 1, lmdb: 3, 'better-sqlite3': 2 }))
    expect(bestPeerOf(size, medians, peers)).toBe('better-sqlite3')
  })

  test('best peer: others are ahead -> not among the peers', () => {
    const medians = new Map(Object.entries({ 'lmdb-structs': 9, 'limit-append': 9, lmdb: 1 }))
    expect(bestPeerOf(rate, medians, peers)).toBe('lmdb')
  })

  test.each([
    [2, true],
    [2.1, false],
  ])('most ratio: ours %d to 2 -> %s', (ours, holds) => {
    expect(judgeBy(size, { entidb: ours, 'better-sqlite3': 2 })[0]?.holds).toBe(holds)
  })

  test('absolute bound: over it -> does not hold', () => {
    const row = { name: 'open', unit: 'ms', lessIsBetter: true, goals: [{ most: 10 }] }
    expect(judgeBy(row, { entidb: 10.5 })).toEqual([
      { wanted: 'at most 10 ms', measured: '10.50 ms', holds: false },
    ])
  })

  test('bound over another row: grown by more -> does not hold', () => {
    const row = { name: 'large', unit: 'µs', goals: [{ overRow: 'small', most: 1.5 }] }
    const mediansOf = (name: string) => new Map([['entidb', name === 'large' ? 32 : 20]])
    expect(judge(row, mediansOf, peers)).toEqual([
      { wanted: 'at most 1.5 x small', measured: '1.60 x', holds: false },
    ])
  })

  test('a row of a variant -> the variant is judged', () => {
    const row = { name: 'live', unit: 'ms', of: 'entidb-memory', goals: [{ most: 1 }] }
    expect(judgeBy(row, { entidb: 2, 'entidb-memory': 1 })[0]?.holds).toBe(true)
  })

  test('the best among some peers -> others do not count', () => {
    const row = { ...rate, goals: [{ over: 'best peer', among: ['lmdb', 'nedb'], least: 1 }] }
    const figures = { entidb: 2, lmdb: 1, 'classic-level': 9 }
    expect(judgeBy(row, figures)).toEqual([
      { wanted: 'at least 1 x the best of lmdb and nedb, lmdb', measured: '2.00 x', holds: true },
    ])
  })

  test('no peer measured -> no verdict', () => {
    expect(judgeBy(rate, { entidb: 1 })[0]?.holds).toBeUndefined()
  })
})

describe('engines', () => {
  const engines = new LineUp(
    {
      entidb: { kind: 'ours', module: 'a' },
      variant: { kind: 'variant', module: 'a' },
      slow: { kind: 'peer', module: 'b', effortShare: 0.01, effortShares: { pages: 0.5 } },
      memory: { kind: 'in memory', module: 'c', isVolatile: true },
      beside: { kind: 'beside', module: 'd' },
      limit: { kind: 'limit', module: 'e' },
    },
    async () => ({}),
  )

  test.each([
    [{}, ['entidb', 'slow', 'memory', 'beside']],
    [{ withLimits: true }, ['entidb', 'slow', 'memory', 'beside', 'limit']],
    [{ variants: ['variant'] }, ['entidb', 'variant', 'slow', 'memory', 'beside']],
    [{ engines: ['slow', 'variant'] }, ['variant', 'slow']],
  ])('workload %j -> %j take part', (workload, expected) => {
    expect(engines.takingPart(workload)).toEqual(expected)
  })

  test.each([
    [undefined, ['entidb']],
    [['slow', 'limit'], ['slow']],
  ])('workload of ours unless others are named, %j are -> %j', (named, expected) => {
    expect(engines.takingPart({ unlessNamed: ['entidb'] }, named)).toEqual(expected)
  })

  test.each([
    [100, ['entidb', 'slow']],
    [101, ['entidb']],
  ])('an engine that can hold 100, %d entities -> %j take part', (count, expected) => {
    const slow = { kind: 'peer', module: 'b', entitiesMost: 100 } as const
    const lineUp = new LineUp({ entidb: { kind: 'ours', module: 'a' }, slow }, async () => ({}))
    expect(lineUp.takingPart({}, undefined, count)).toEqual(expected)
  })

  test('only peers count for the best peer; no limit and no variant has a column', () => {
    expect(engines.peers).toEqual(['slow'])
    expect(engines.columns).toEqual(['entidb', 'slow', 'memory', 'beside'])
  })

  test('a share of the effort -> rounded up', () => {
    const effort = { gets: 500, ranges: 5, pages: 10 }
    expect(engines.effortOf('slow', effort)).toEqual({ gets: 5, ranges: 1, pages: 5 })
    expect(engines.effortOf('entidb', { gets: 500 })).toEqual({ gets: 500 })
  })
})

describe('samples', () => {
  const workload = { name: 'get', rows: [{ name: 'get' }] }

  const add = (samples: Samples, engine: string, value: number, waited: number) =>
    samples.add(workload, engine, { figures: { get: value }, waited })

  test('every engine has a quiet round -> only quiet rounds count', () => {
    const samples = new Samples()
    add(samples, 'lmdb', 10, 0.5)
    add(samples, 'lmdb', 30, 0.1)
    add(samples, 'entidb', 50, 0)
    expect(samples.figuresOf('get', ['entidb', 'lmdb'])).toEqual(
      new Map([
        ['entidb', [50]],
        ['lmdb', [30]],
      ]),
    )
    expect(samples.isDisturbed('get')).toBe(false)
  })

  test('one engine has none -> all rounds of all engines count, and it is said', () => {
    const samples = new Samples()
    add(samples, 'lmdb', 10, 0.5)
    add(samples, 'entidb', 50, 0.5)
    add(samples, 'entidb', 90, 0)
    expect(samples.figuresOf('get', ['entidb', 'lmdb'])).toEqual(
      new Map([
        ['entidb', [50, 90]],
        ['lmdb', [10]],
      ]),
    )
    expect(samples.isDisturbed('get')).toBe(true)
  })

  test('a peer did not finish a round -> its other rounds count, and it is said', () => {
    const samples = new Samples()
    add(samples, 'lmdb', 10, 0)
    samples.addUnfinished(workload, 'lmdb', 5)
    expect(samples.figuresOf('get', ['lmdb'])).toEqual(new Map([['lmdb', [10]]]))
    expect(samples.unfinishedIn('get')).toEqual([{ engine: 'lmdb', minutes: 5 }])
    expect(samples.unfinishedIn('put')).toEqual([])
  })
})

describe('options', async () => {
  const store = await suiteNamed('store')
  const entities = await suiteNamed('entities')

  test('store, none -> all rows but the long ones, five rounds of 100,000', () => {
    const { rows, rounds, counts, engines } = parseOptions(store, [])
    expect(rows).toContain('bulk')
    expect(rows).not.toContain('get-large')
    expect({ rounds, counts, engines }).toEqual({
      rounds: 5,
      counts: { usual: 100_000, small: 10_000, large: 5_000_000 },
      engines: undefined,
    })
  })

  test('entities, none -> all rows, the largest of a million', () => {
    const { rows, counts } = parseOptions(entities, [])
    expect(rows).toEqual(entities.rowNames)
    expect(counts).toEqual({ usual: 100_000, small: 10_000, large: 1_000_000 })
  })

  test('long -> the rows of 5 million too; named rows -> these alone', () => {
    expect(parseOptions(store, ['--long']).rows).toContain('get-large')
    expect(parseOptions(store, ['--rows', 'get-large,bulk']).rows).toEqual(['get-large', 'bulk'])
  })

  test.each([
    [['--rows', 'bulk,nope'], "no row 'nope'"],
    [['--engines', 'mysql'], "no engine 'mysql'"],
    [['--rounds', '0'], '--rounds takes a number from 1'],
    [['--write-docs', '--quick'], '--write-docs needs a full run'],
    [['--write-docs', '--engines', 'entidb'], '--write-docs needs all engines'],
    [['--nope'], "Unknown option '--nope'"],
  ])('%j -> an error that says so', (args, message) => {
    expect(() => parseOptions(store, args)).toThrow(message)
  })

  test.each(SUITE_NAMES)('usage of %s -> names every row and engine', async (name) => {
    const suite = await suiteNamed(name)
    const usage = usageOf(suite)
    for (const word of [...suite.rowNames, ...suite.engines.names]) expect(usage).toContain(word)
  })

  test.each(SUITE_NAMES)('rows of %s -> each name once', async (name) => {
    const { rowNames } = await suiteNamed(name)
    expect(new Set(rowNames).size).toBe(rowNames.length)
  })
})

describe('page', async () => {
  const suite = await suiteNamed('entities')
  const figures = (median: number) => ({ median, min: median, max: median })
  const run = { date: '2026-01-31', commit: 'abc', rounds: 3, machine: 'a machine', entities: 100 }

  test('figures of a run -> what was wanted, measured, and whether it holds', () => {
    const engines = { entidb: figures(30), 'better-sqlite3': figures(20), lokijs: figures(60) }
    const page = formatPage(suite, { rows: { equal: { ...run, engines } } }, '')
    expect(page).toContain('| `equal` | at least 2 x better-sqlite3 | 1.50 x | **no** |')
    expect(page).toContain(
      '| `equal` | at least 1 x the best peer, better-sqlite3 | 1.50 x | holds |',
    )
    expect(page).toContain('| `equal` | 2026-01-31 | abc | 3 | 100 | a machine |  |')
  })

  test('profiles -> where the time goes', () => {
    const functions = [{ name: 'scan', place: 'cbor/scan.js:1', share: 0.25 }]
    const parts = [{ part: '(garbage collector)', share: 0.5 }]
    const profiles = { equal: { ...run, functions, parts } }
    const page = formatPage(suite, { rows: {}, profiles }, '')
    expect(page).toContain(
      '| `equal` | (garbage collector) 50.0 % | `scan` 25.0 % | 2026-01-31, abc |',
    )
  })

  test('a round that a peer did not finish -> said below the figures', () => {
    const engines = { entidb: { median: 1, min: 1, max: 1 } }
    const get = { ...run, entities: 10, engines, unfinished: [{ engine: 'lmdb', minutes: 5 }] }
    const row = suite.rowNames[0] ?? ''
    const page = formatPage(suite, { rows: { [row]: get } }, '')
    expect(page).toContain(
      `- \`${row}\`: lmdb did not finish a round within 5 minutes and has no figure of it.`,
    )
  })

  test('a page before with notes -> the notes stay', () => {
    const before = 'x <!-- notes: kept by the run -->\nwhy\n<!-- end of notes --> y'
    const page = formatPage(suite, { rows: {} }, before)
    expect(page).toContain('<!-- notes: kept by the run -->\nwhy\n<!-- end of notes -->')
  })
})

describe('rows of entities', async () => {
  const suite = await suiteNamed('entities')
  const ours = ['entidb', 'entidb-memory']

  test('ours, 3,000 entities -> every answer is right, every row has a figure', async () => {
    const size = ['--entities', '3000', '--large', '3000']
    const options = parseOptions(suite, ['--quick', '--engines', ours.join(), ...size])
    const samples = await runRounds(suite, { ...options, progress: () => {} })
    const measured = suite.rowNames.filter((row) => samples.figuresOf(row, ours).size > 0)
    expect(measured).toEqual(suite.rowNames)
  })
})

describe('checks of sync', () => {
  const deviceWith = (entities: readonly ReturnType<typeof entityAt>[]) => ({
    scan: async (visit: (entity: ReturnType<typeof entityAt>) => void) => entities.forEach(visit),
  })
  const all = Array.from({ length: 10 }, (_, i) => entityAt(i))

  test.each([
    ['one is missing', all.slice(1)],
    ['one is twice there', [...all.slice(1), entityAt(1)]],
    ['one differs in a field', [...all.slice(1), { ...entityAt(0), status: 'Xx' }]],
  ])('what a device holds: %s -> an error', async (_, entities) => {
    await expect(assertHolds(deviceWith(entities), 10)).rejects.toThrow('wrong result')
    await assertHolds(deviceWith(all), 10)
  })

  test('after edits of both sides: one of the edits, or all that both changed -> settled', async () => {
    const merged = { ...editAt(0, 'a'), score: 1.5 }
    const isSettled = async (entity: ReturnType<typeof editAt>, mergesFields: boolean) =>
      (await stateOf(deviceWith([entity]), 1, mergesFields)).isSettled
    expect(await isSettled(editAt(0, 'b'), false)).toBe(true)
    expect(await isSettled(merged, true)).toBe(true)
    expect(await isSettled(editAt(0, 'b'), true)).toBe(false)
    expect(await isSettled(merged, false)).toBe(false)
  })

  test('states of two devices: in any order -> the same; one field differs -> another', async () => {
    const stateWith = (entities: typeof all) => stateOf(deviceWith(entities), 10, true)
    const [state, reversed] = [await stateWith(all), await stateWith([...all].reverse())]
    expect(reversed.hash).toBe(state.hash)
    const other = await stateWith([...all.slice(1), { ...entityAt(0), email: '' }])
    expect(other.hash).not.toBe(state.hash)
  })
})

describe('rows of sync', async () => {
  const suite = await suiteNamed('sync')
  const needingNoPeers = ['entidb', 'limit']

  test('ours, 500 entities -> every device holds what it should, every row has a figure', async () => {
    const size = ['--entities', '500', '--large', '500']
    const options = parseOptions(suite, ['--quick', '--engines', needingNoPeers.join(), ...size])
    const effort = { edits: 5, conflicts: 100 }
    const samples = await runRounds(suite, { ...options, effort, progress: () => {} })
    const measured = suite.rowNames.filter((row) => samples.figuresOf(row, ['entidb']).size > 0)
    expect(measured).toEqual(suite.rowNames)
    expect([...samples.figuresOf('first-sync', ['limit']).keys()]).toEqual(['limit'])
  })
})

describe('data set', () => {
  test('an entity: asked for twice -> equal, with the checksum of its number', () => {
    expect(entityAt(17)).toEqual(entityAt(17))
    expect(checksumOf(entityAt(17))).toBe(checksumAt(17))
    expect(entityAt(17).email).toBe(emailOf(17))
  })

  test('10,000 entities -> as many ids of 16 characters and creation times, 200 bytes each', () => {
    const entities = Array.from({ length: 10_000 }, (_, i) => entityAt(i))
    expect(new Set(entities.map(({ id }) => id)).size).toBe(10_000)
    expect(entities.every(({ id }, i) => id.length === 16 && id === idAt(i))).toBe(true)
    expect(new Set(entities.map(({ createdAt }) => createdAt)).size).toBe(10_000)
    const bytes = entities.reduce((sum, entity) => sum + JSON.stringify(entity).length, 0) / 10_000
    expect(Math.round(bytes)).toBe(202)
  })

  test('distinct indexes: of 1,000 below 1,000 -> each once', () => {
    expect(new Set(distinctIndexes(1000, 1000, 3)).size).toBe(1000)
  })
})
