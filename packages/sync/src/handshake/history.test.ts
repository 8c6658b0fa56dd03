import { describe, expect, test } from 'vitest'
import { partingPoint } from './history.ts'

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
