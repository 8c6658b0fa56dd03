import { describe, expect, test } from 'vitest'
import { digestOfStates, type EntityState, StateHasher } from './state-digest.ts'

const state = (entityId: string, more: Partial<EntityState> = {}): EntityState => ({
  collection: 'cities',
  entityId,
  revision: 1,
  bytes: Uint8Array.of(0xa0),
  ...more,
})

describe('state digest', () => {
  test('order: the same states in any order -> the same digest and count', () => {
    const states = [state('a'), state('b'), state('b', { collection: 'other' }), state('ä')]
    expect(digestOfStates([...states].reverse())).toEqual(digestOfStates(states))
    expect(digestOfStates(states).entities).toBe(4)
  })

  test('difference: of any part of any state -> another digest', () => {
    const base = digestOfStates([state('a'), state('b')]).sha256
    const others = [
      [state('a')],
      [state('a'), state('c')],
      [state('a'), state('b', { collection: 'other' })],
      [state('a'), state('b', { revision: 2 })],
      [state('a'), state('b', { bytes: Uint8Array.of(0xa1) })],
      [state('a', { bytes: new Uint8Array() }), state('b')],
    ].map((states) => digestOfStates(states).sha256)
    expect(new Set([base, ...others]).size).toBe(others.length + 1)
  })

  test('hasher: states out of order or repeated -> a programming error', () => {
    for (const second of ['a', 'b']) {
      const hasher = new StateHasher()
      hasher.add(state('b'))
      expect(() => hasher.add(state(second))).toThrow('out of order')
    }
  })
})
