import { describe, expect, test } from 'vitest'
import {
  CYCLE_EVENTS,
  CYCLE_STATES,
  type CycleState,
  isWorking,
  nextState,
} from './cycle-machine.ts'

describe('cycle machine', () => {
  test('every state and event: answered -> a state, or the error of a step that is not running', () => {
    for (const state of CYCLE_STATES) {
      for (const event of CYCLE_EVENTS) {
        try {
          expect(CYCLE_STATES).toContain(nextState(state, event))
        } catch (error) {
          expect(String(error)).toMatch(/invariant broken|Sync is stopped/)
        }
      }
    }
  })

  test('a cycle: every step succeeds -> recovers, greets, pulls, resolves, pushes, rests', () => {
    const events = ['begin', 'recovered', 'greeted', 'pulled', 'resolved', 'pushed'] as const
    const states: CycleState[] = ['idle']
    for (const event of events) states.push(nextState(states.at(-1) ?? 'idle', event))
    expect(states).toEqual([
      'idle',
      'recovering',
      'handshaking',
      'pulling',
      'resolving',
      'pushing',
      'idle',
    ])
  })

  test('epoch change: while recovering -> handshake, then the frozen batch again', () => {
    expect(nextState('recovering', 'epochChanged')).toBe('handshaking')
    expect(nextState('handshaking', 'greetedFrozen')).toBe('recovering')
  })

  test.each(CYCLE_STATES)('%s: stop -> stopped', (state) => {
    expect(nextState(state, 'stop')).toBe('stopped')
  })

  test('stopped: a late outcome -> ignored; a new cycle -> sync_stopped', () => {
    expect(nextState('stopped', 'pulled')).toBe('stopped')
    expect(() => nextState('stopped', 'begin')).toThrowError(
      expect.objectContaining({ code: 'sync_stopped' }),
    )
  })

  test('working states: each can fail in every way -> a resting state with a way out', () => {
    for (const state of CYCLE_STATES.filter(isWorking)) {
      for (const event of ['retryLater', 'tokenRefused', 'refused'] as const) {
        const resting = nextState(state, event)
        expect(isWorking(resting)).toBe(false)
        expect(nextState(resting, 'begin')).toBe('recovering')
      }
    }
  })
})
