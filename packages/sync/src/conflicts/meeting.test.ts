import { expect, test } from 'vitest'
import { meetingOf } from './meeting.ts'

const bytes = (value: number): Uint8Array => new Uint8Array([value])
const remote = (version: number, value: number | null) => ({
  version,
  bytes: value === null ? null : bytes(value),
  schemaVersion: 1,
})

test.each([
  ['same bytes', bytes(1), bytes(0), remote(9, 1), 0, 'converged'],
  ['both deleted', null, bytes(0), remote(9, null), 0, 'converged'],
  ['server where the edit began', bytes(1), bytes(0), remote(9, 0), 0, 'unmoved'],
  ['created over a forgotten delete', bytes(1), null, remote(9, null), 0, 'unmoved'],
  ['edited over a state that is not kept', bytes(1), undefined, remote(9, 0), 0, 'conflict'],
  ['both edited', bytes(1), bytes(0), remote(9, 2), 0, 'conflict'],
  ['edited here, deleted there', bytes(1), bytes(0), remote(9, null), 0, 'conflict'],
  ['deleted here, edited there', null, bytes(0), remote(9, 2), 0, 'conflict'],
  ['created on both sides', bytes(1), null, remote(9, 2), 0, 'conflict'],
  ['an ancestor after an epoch change', bytes(1), null, remote(9, 2), 9, 'unmoved'],
  ['beyond the ancestors', bytes(1), null, remote(10, 2), 9, 'conflict'],
] as const)('meeting: %s -> %#', (_, local, base, server, ancestorThrough, meeting) => {
  expect(meetingOf({ local, base, remote: server, ancestorThrough })).toBe(meeting)
})
