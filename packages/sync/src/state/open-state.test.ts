import { EntiDB, memoryStorage } from '@entidb/core'
import { expect, test } from 'vitest'
import { LearntVersions } from '../fates/learnt-versions.ts'
import { ledgerLimitsOf } from '../ledger/ledger-limits.ts'
import { collections } from '../test-kit/device.test-kit.ts'
import { coreEngine } from './core-engine.ts'
import { openSyncStore } from './open-state.ts'

test.each([
  ['from the first on', true, null],
  ['only from here on', false, { through: 1, after: null }],
])(
  'entities from before sync, the change feed has them %s: -> offered if need be',
  async (_, changeFeed, offer) => {
    const storage = memoryStorage()
    const before = await EntiDB.open({ storage, collections, changeFeed })
    await before.collection('notes').put({ id: 'n1', tokens: [] })
    await before.close()
    const db = await EntiDB.open({ storage, collections, changeFeed: true })
    const { store } = await openSyncStore(coreEngine(db), 'test', undefined, {
      changed: () => {},
      now: () => 0,
      newDeviceId: () => 'fresh',
      ledger: ledgerLimitsOf({}),
      versions: new LearntVersions(),
    })
    expect(store.state.offer).toEqual(offer)
    await db.close()
  },
)
