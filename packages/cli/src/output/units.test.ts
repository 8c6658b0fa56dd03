import { describe, expect, test } from 'vitest'
import { formatBytes, formatCount, formatDuration } from './units.ts'

describe('units', () => {
  test('count: any size -> thousands are separated', () => {
    expect([0, 999, 1_000, 138_398.4, 1_234_567].map(formatCount)).toEqual([
      '0',
      '999',
      '1,000',
      '138,398',
      '1,234,567',
    ])
  })

  test('duration: each range -> its unit', () => {
    expect([0.4, 999, 1_000, 59_949, 59_950, 125_000].map(formatDuration)).toEqual([
      '0 ms',
      '999 ms',
      '1.0 s',
      '59.9 s',
      '1 min 0 s',
      '2 min 5 s',
    ])
  })

  test('bytes: each range -> its unit', () => {
    expect([812, 1_024, 33_240_000, 2 ** 31].map(formatBytes)).toEqual([
      '812 B',
      '1.0 KiB',
      '31.7 MiB',
      '2.0 GiB',
    ])
  })
})
