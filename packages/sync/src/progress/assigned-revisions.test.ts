import { EPOCH_STRIDE } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { revisionsBetween } from './assigned-revisions.ts'

const entry = (firstCursor: number) => ({ epoch: new Uint8Array(16), firstCursor })
const FIRST = EPOCH_STRIDE
const HISTORY = [entry(1), entry(FIRST + 501)]
const SECOND = 2 * EPOCH_STRIDE

describe('revisions between cursors', () => {
  test('within an epoch: -> dense', () => {
    expect(revisionsBetween(FIRST + 100, FIRST + 140, HISTORY)).toBe(40)
    expect(revisionsBetween(SECOND, SECOND + 7, HISTORY)).toBe(7)
    expect(revisionsBetween(5, 12, [])).toBe(7)
  })

  test('across the beginnings of epochs: -> without what they leave out', () => {
    expect(revisionsBetween(0, FIRST, HISTORY)).toBe(0)
    expect(revisionsBetween(0, FIRST + 500, HISTORY)).toBe(500)
    expect(revisionsBetween(FIRST + 490, SECOND + 7, HISTORY)).toBe(17)
    expect(revisionsBetween(0, SECOND + 7, HISTORY)).toBe(507)
  })

  test('an epoch that began at a multiple: -> the next one, whole, is left out', () => {
    const history = [entry(1), entry(FIRST + 1)]
    expect(revisionsBetween(FIRST, SECOND + 3, history)).toBe(3)
  })

  test('nothing lies between: -> 0', () => {
    expect(revisionsBetween(FIRST + 9, FIRST + 9, HISTORY)).toBe(0)
    expect(revisionsBetween(FIRST + 9, 0, HISTORY)).toBe(0)
  })
})
