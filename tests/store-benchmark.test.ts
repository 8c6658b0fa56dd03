import { describe, expect, test } from 'vitest'
import { formatTable, median } from '../bench/figures.mjs'
import {
  checksumAt,
  checksumOf,
  distinctIndexes,
  entityAt,
  idAt,
} from '../bench/store/data-set.mjs'
import { bestPeerOf, judge } from '../bench/store/goals.mjs'
import { parseStoreOptions } from '../bench/store/options.mjs'
import { Samples } from '../bench/store/samples.mjs'

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
  const rate = { unit: 'gets/s', goals: [{ over: 'best peer', least: 1.3 }] }
  const size = { unit: 'MiB', lessIsBetter: true, goals: [{ over: 'better-sqlite3', most: 1 }] }

  test.each([
    [130, true, '1.30 x'],
    [129, false, '1.29 x'],
  ])('least ratio: ours %d to 100 of the best peer -> %s', (ours, holds, measured) => {
    const medians = new Map(Object.entries({ entidb: ours, lmdb: 100, 'classic-level': 50 }))
    expect(judge(rate, medians)).toEqual([
      { wanted: 'at least 1.3 x the best peer, lmdb', measured, holds },
    ])
  })

  test('best peer: less is better -> the least', () => {
    const medians = new Map(Object.entries({ entidb: 1, lmdb: 3, 'better-sqlite3': 2 }))
    expect(bestPeerOf(size, medians)).toBe('better-sqlite3')
  })

  test('best peer: variants, limits and shared structures -> not among the peers', () => {
    const medians = new Map(
      Object.entries({ 'lmdb-structs': 9, 'lmdb-cached': 9, 'limit-append': 9, lmdb: 1 }),
    )
    expect(bestPeerOf(rate, medians)).toBe('lmdb')
  })

  test.each([
    [2, true],
    [2.1, false],
  ])('most ratio: ours %d to 2 -> %s', (ours, holds) => {
    const medians = new Map(Object.entries({ entidb: ours, 'better-sqlite3': 2 }))
    expect(judge(size, medians)[0]?.holds).toBe(holds)
  })

  test('absolute bound: over it -> does not hold', () => {
    const row = { unit: 'ms', lessIsBetter: true, goals: [{ most: 10 }] }
    expect(judge(row, new Map([['entidb', 10.5]]))).toEqual([
      { wanted: 'at most 10 ms', measured: '10.50 ms', holds: false },
    ])
  })

  test('no peer measured -> no verdict', () => {
    expect(judge(rate, new Map([['entidb', 1]]))[0]?.holds).toBeUndefined()
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
})

describe('options', () => {
  test('none -> all rows but the long ones, five rounds of 100,000', () => {
    const { rows, rounds, count, engines } = parseStoreOptions([])
    expect(rows).toContain('bulk')
    expect(rows).not.toContain('get-large')
    expect({ rounds, count, engines }).toEqual({ rounds: 5, count: 100_000, engines: undefined })
  })

  test('long -> the rows of 5 million too; named rows -> these alone', () => {
    expect(parseStoreOptions(['--long']).rows).toContain('get-large')
    expect(parseStoreOptions(['--rows', 'get-large,bulk']).rows).toEqual(['get-large', 'bulk'])
  })

  test.each([
    [['--rows', 'bulk,nope'], "no row 'nope'"],
    [['--engines', 'mysql'], "no engine 'mysql'"],
    [['--rounds', '0'], '--rounds takes a number from 1'],
    [['--write-docs', '--quick'], '--write-docs needs a full run'],
    [['--write-docs', '--engines', 'entidb'], '--write-docs needs all engines'],
    [['--nope'], "Unknown option '--nope'"],
  ])('%j -> an error that says so', (args, message) => {
    expect(() => parseStoreOptions(args)).toThrow(message)
  })
})

describe('data set', () => {
  test('an entity: asked for twice -> equal, with the checksum of its number', () => {
    expect(entityAt(17)).toEqual(entityAt(17))
    expect(checksumOf(entityAt(17))).toBe(checksumAt(17))
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
