import { describe, expect, test } from 'vitest'
import { epochNameAt, partingPoint } from './history.ts'

const entry = (name: number, firstCursor: number) => ({
  epoch: new Uint8Array(16).fill(name),
  firstCursor,
})

describe('parting point', () => {
  test('equal histories: -> none', () => {
    expect(partingPoint([entry(1, 1)], [entry(1, 1)])).toBeUndefined()
    expect(partingPoint([], [])).toBeUndefined()
  })

  test('server went on in a new epoch: -> its head before that', () => {
    expect(partingPoint([entry(1, 1)], [entry(1, 1), entry(2, 501)])).toBe(500)
  })

  test('server restored to before an epoch the client saw: -> one less than the smaller start', () => {
    const common = entry(1, 1)
    expect(partingPoint([common, entry(2, 501)], [common, entry(3, 301)])).toBe(300)
    expect(partingPoint([common, entry(2, 301)], [common, entry(3, 501)])).toBe(300)
  })

  test('server restored and no new epoch yet: -> where the client saw one', () => {
    expect(partingPoint([entry(1, 1), entry(2, 501)], [entry(1, 1)])).toBe(500)
  })

  test('nothing in common: -> 0', () => {
    expect(partingPoint([entry(1, 1)], [entry(2, 1)])).toBe(0)
    expect(partingPoint([], [entry(2, 1)])).toBe(0)
  })
})

describe('name of the epoch of a revision', () => {
  const history = [entry(1, 1), entry(2, 301), entry(3, 501)]

  test('-> of the last one that began at or before it', () => {
    expect(epochNameAt(history, 300)).toBe('01010101')
    expect(epochNameAt(history, 301)).toBe('02020202')
    expect(epochNameAt(history, 9_000)).toBe('03030303')
  })

  test('none, or a server without epochs: -> empty', () => {
    expect(epochNameAt(history, 0)).toBe('')
    expect(epochNameAt([], 5)).toBe('')
  })
})
