import type { EntityState } from '@entidb/protocol'
import { expect, test } from 'vitest'
import { byRevision } from './by-revision.ts'

const stateOf = (revision: number): EntityState => ({
  kind: { deviceId: 'd', collection: 'c' },
  opId: 1,
  revision,
  entityId: new Uint8Array(),
  entity: null,
  timestampMs: undefined,
})

test.each([
  ['near each other', [7, 3, 5, 4]],
  ['as far apart as a revision can be', [2 ** 53 - 1, 1, 2 ** 40, 2 ** 40 - 1, 2]],
  ['large', [2 ** 53 - 1, 2 ** 53 - 3, 2 ** 53 - 2]],
  ['none', []],
])('byRevision: revisions %s -> in order, each with its own state', (_, revisions) => {
  const states = revisions.map(stateOf)
  const sorted = byRevision(states)
  expect(sorted.map(({ revision }) => revision)).toEqual([...revisions].sort((a, b) => a - b))
  expect(new Set(sorted)).toEqual(new Set(states))
})
