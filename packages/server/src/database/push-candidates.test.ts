import { encodeEntity } from '@entidb/core/cbor'
import { expect, test } from 'vitest'
import { resolveLimits } from '../limits.ts'
import type { ServerReader } from './collections.ts'
import { Permissions } from './permissions.ts'
import { readCandidates } from './push-candidates.ts'
import { remove, writer } from './sync-database.test-kit.ts'

test('candidates: many operations -> the bytes of few entities at a time, and none are kept', async () => {
  const entityCbor = encodeEntity({ id: 'x' })
  const counts: number[] = []
  // What is used of it.
  const reader = {
    collection: () => ({
      getMany: async (ids: readonly string[]) => {
        counts.push(ids.length)
        return ids.map((id) => ({
          id,
          collection: 'items',
          entityId: 'x',
          entityVersion: 7,
          entityCbor,
        }))
      },
    }),
  } as unknown as ServerReader
  const fresh = Array.from({ length: 1_000 }, (_, i) => ({
    operation: remove(i + 1, `x${i}`, 7),
    contentHash: new Uint8Array(32),
  }))
  const rules = { limits: resolveLimits(), policy: {}, permissions: new Permissions({}, writer) }
  const candidates = await readCandidates(reader, fresh, rules)
  expect(candidates.map(({ operation }) => operation)).toEqual(fresh.map((each) => each.operation))
  expect(Math.max(...counts)).toBeLessThanOrEqual(100)
  for (const { current } of candidates)
    expect(Object.values(current ?? {})).not.toContain(entityCbor)
})
