import { expect, test } from 'vitest'
import { meetingOf } from './meeting.ts'

const bytes = (value: number): Uint8Array => new Uint8Array([value])
const state = (content: Uint8Array | null) => ({ bytes: content, schemaVersion: 1 })
const remote = (version: number, value: number | null, schemaVersion = 1) => ({
  version,
  bytes: value === null ? null : bytes(value),
  schemaVersion,
})

test.each([
  ['same bytes', 'converged', bytes(1), bytes(0), remote(9, 1), 0],
  ['both deleted', 'converged', null, bytes(0), remote(9, null), 0],
  ['server where the edit began', 'unmoved', bytes(1), bytes(0), remote(9, 0), 0],
  ['created over a forgotten delete', 'unmoved', bytes(1), null, remote(9, null), 0],
  ['edited over a state that is not kept', 'conflict', bytes(1), undefined, remote(9, 0), 0],
  ['both edited', 'conflict', bytes(1), bytes(0), remote(9, 2), 0],
  ['edited here, deleted there', 'conflict', bytes(1), bytes(0), remote(9, null), 0],
  ['edited here, deleted there and forgotten', 'conflict', bytes(1), bytes(0), remote(0, null), 0],
  ['deleted here, edited there', 'conflict', null, bytes(0), remote(9, 2), 0],
  ['created on both sides', 'conflict', bytes(1), null, remote(9, 2), 0],
  ['an ancestor after an epoch change', 'unmoved', bytes(1), null, remote(9, 2), 9],
  ['beyond the ancestors', 'conflict', bytes(1), null, remote(10, 2), 9],
  [
    'nothing after an epoch change, no delete forgotten',
    'unmoved',
    bytes(1),
    undefined,
    remote(0, null),
    9,
  ],
  ['same bytes of another version', 'conflict', bytes(1), bytes(0), remote(9, 1, 2), 0],
  ['made on the same bytes of another version', 'conflict', bytes(1), bytes(0), remote(9, 0, 2), 0],
  ['both deleted, by other versions', 'converged', null, bytes(0), remote(9, null, 2), 0],
] as const)('meeting: %s -> %s', (_, meeting, local, base, server, ancestorThrough) => {
  const sides = { local: state(local), base: base === undefined ? base : state(base) }
  expect(meetingOf({ ...sides, remote: server, ancestorThrough, purgedThrough: 9 })).toBe(meeting)
})

test.each([
  ['a delete after the last ancestor may be forgotten', 'conflict', 9, 10],
  ['no history in common, and a delete may be forgotten', 'conflict', -1, 1],
  ['no history in common, and none is', 'unmoved', -1, 0],
] as const)(
  'meeting: nothing after an epoch change, %s -> %s',
  (_, meeting, ancestorThrough, purgedThrough) => {
    const sides = { local: state(bytes(1)), base: undefined, remote: remote(0, null) }
    expect(meetingOf({ ...sides, ancestorThrough, purgedThrough })).toBe(meeting)
  },
)

test('meeting: the edit had met an ancestor, and its delete may be forgotten -> conflict', () => {
  const sides = { local: state(bytes(1)), base: state(bytes(0)), remote: remote(0, null) }
  expect(meetingOf({ ...sides, ancestorThrough: 9, purgedThrough: 10 })).toBe('conflict')
})
