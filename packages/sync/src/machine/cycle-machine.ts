/**
 * The client's state machine: which step of the cycle comes next. Pure, and total: for every state and
 * event the table has an answer. `docs/sync-client.md` has the same table, and a test compares them.
 *
 * Two kinds of events. An *outcome* is what a step reports, so it belongs to the states that run the
 * step; anywhere else it is a bug of the runner, except after a stop, where a late outcome is ignored.
 * A *call* comes from outside at any moment, so every state answers it.
 */
import { EntiDBError } from '@entidb/core'

export const CYCLE_STATES = [
  'stopped',
  'idle',
  'recovering',
  'handshaking',
  'pulling',
  'resolving',
  'pushing',
  'backingOff',
  'waitingForToken',
  'blocked',
] as const

/** A state of the cycle; `docs/sync-client.md` has the table of them. */
export type CycleState = (typeof CYCLE_STATES)[number]

export const CYCLE_EVENTS = [
  // calls
  'start',
  'begin',
  'stop',
  // outcomes
  'recovered',
  'greeted',
  'greetedFrozen',
  'pulled',
  'resolved',
  'pushed',
  'pullAgain',
  'epochChanged',
  'retryLater',
  'tokenRefused',
  'refused',
] as const

export type CycleEvent = (typeof CYCLE_EVENTS)[number]

type Row = Partial<Record<CycleEvent, CycleState>>

/** How a step that talks to the server can fail; `epochChanged` leads back to the handshake. */
const failures: Row = {
  retryLater: 'backingOff',
  tokenRefused: 'waitingForToken',
  refused: 'blocked',
}

/** Between cycles: `begin` starts one, by recovering first. */
const resting: Row = { start: 'idle', begin: 'recovering', stop: 'stopped' }

const TABLE: Readonly<Record<CycleState, Row>> = {
  stopped: { start: 'idle', stop: 'stopped' },
  idle: resting,
  recovering: {
    ...failures,
    stop: 'stopped',
    recovered: 'handshaking',
    epochChanged: 'handshaking',
  },
  handshaking: {
    ...failures,
    stop: 'stopped',
    greeted: 'pulling',
    greetedFrozen: 'recovering',
  },
  pulling: { ...failures, stop: 'stopped', pulled: 'resolving', epochChanged: 'handshaking' },
  resolving: { ...failures, stop: 'stopped', resolved: 'pushing' },
  pushing: {
    ...failures,
    stop: 'stopped',
    pushed: 'idle',
    pullAgain: 'pulling',
    epochChanged: 'handshaking',
  },
  backingOff: { ...resting, start: 'backingOff' },
  waitingForToken: { ...resting, start: 'waitingForToken' },
  blocked: { ...resting, start: 'blocked' },
}

const CALLS: ReadonlySet<CycleEvent> = new Set(['start', 'begin', 'stop'])

/**
 * The state after `event`. A call that changes nothing leaves the state; an outcome of a step that is
 * not running is ignored when stopped and an invariant error otherwise.
 */
export function nextState(state: CycleState, event: CycleEvent): CycleState {
  if (state === 'stopped' && event === 'begin') {
    throw new EntiDBError('sync_stopped', 'Sync is stopped: call start() first')
  }
  const next = TABLE[state][event]
  if (next !== undefined) return next
  if (CALLS.has(event) || state === 'stopped') return state
  throw new Error(`EntiDB invariant broken: ${event} in state ${state}`)
}

/** True while a cycle runs. */
export function isWorking(state: CycleState): boolean {
  return TABLE[state].retryLater !== undefined
}
