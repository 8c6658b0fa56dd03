/** The stored side of sync without a server: for tests of single transactions. */
import { EntiDB, memoryStorage } from '@entidb/core'
import { DEFAULT_LIMITS } from '@entidb/protocol'
import { LearntVersions } from '../fates/learnt-versions.ts'
import { type LedgerConfig, ledgerLimitsOf } from '../ledger/ledger-limits.ts'
import { FeedWindow } from '../push/feed-window.ts'
import { takeBatch } from '../push/take-batch.ts'
import { coreEngine } from '../state/core-engine.ts'
import { openSyncStore } from '../state/open-state.ts'
import type { SyncStore } from '../state/sync-store.ts'
import { collections, type TestDatabase } from './device.test-kit.ts'

export interface OpenStore {
  readonly db: TestDatabase
  readonly store: SyncStore
}

export async function openStore(ledger: LedgerConfig = {}): Promise<OpenStore> {
  const db = await EntiDB.open({ storage: memoryStorage(), collections, changeFeed: true })
  const { store } = await openSyncStore(coreEngine(db), 'test', undefined, {
    changed: () => {},
    now: () => 0,
    newDeviceId: () => 'fresh',
    ledger: ledgerLimitsOf(ledger),
    versions: new LearntVersions(),
  })
  return { db, store }
}

/** Freezes what is pending, and gives the request that would be sent. */
export async function freeze(store: SyncStore) {
  await store.transaction(async (tx) => tx.setState({ offer: null }))
  await store.followFeed()
  const { contents } = await store.transaction((tx) =>
    takeBatch(tx, new FeedWindow(store.engine), {
      limits: DEFAULT_LIMITS,
      nowMs: 0,
      writtenAgain: (...writes) => store.writtenAgain(...writes),
      turn: async () => {},
    }),
  )
  const { frozen } = store
  if (frozen === null) throw new Error('nothing to freeze')
  return { batch: frozen.batch, ops: frozen.ops, contents, cursor: store.state.cursor }
}
