import { EntiDBError } from '@entidb/core'
import type { OpenConflict, Resolution, SyncedEntity } from '@entidb/sync'
import { describe, expect, test } from 'vitest'
import { settleConflicts } from './settle-conflicts.ts'

const city = (population: number, name: string): SyncedEntity => ({ id: 'c', population, name })

function conflict(local: SyncedEntity | null, remote: SyncedEntity | null): OpenConflict {
  const ref = { collection: 'cities', entityId: 'c' }
  return {
    ...ref,
    id: '1',
    local: { ...ref, opType: local === null ? 'DELETE' : 'PUT', entity: local },
    remote: { entityVersion: 2, entity: remote },
    base: { entityVersion: 1, entity: city(10, 'old') },
    group: [],
    since: 0,
  }
}

async function resolutionOf(open: OpenConflict): Promise<Resolution | undefined> {
  let given: Resolution | undefined
  const settled = await settleConflicts({
    list: async () => [open],
    resolve: async (_, resolution) => {
      given = resolution
    },
  })
  expect(settled).toHaveLength(1)
  return given
}

describe('settling conflicts', () => {
  test('two edits: -> merged by field, the higher count of people wins', async () => {
    expect(await resolutionOf(conflict(city(12, 'old'), city(13, 'new')))).toEqual({
      type: 'merge',
      entity: city(13, 'new'),
    })
  })

  test('edit and delete: -> the edit outlives it, whichever side it is on', async () => {
    expect(await resolutionOf(conflict(null, city(13, 'new')))).toEqual({ type: 'takeRemote' })
    expect(await resolutionOf(conflict(city(12, 'new'), null))).toEqual({ type: 'keepLocal' })
  })

  test('conflict: changed since it was listed -> left for the next round', async () => {
    const settled = await settleConflicts({
      list: async () => [conflict(city(12, 'old'), city(13, 'new'))],
      resolve: () => Promise.reject(new EntiDBError('conflict_changed', 'moved')),
    })
    expect(settled).toEqual([])
  })
})
