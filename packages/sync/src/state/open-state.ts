/** The state row of a database: as the last process left it, or a new one. */
import { EntiDBError } from '@entidb/core'
import { renumberForDevice } from '../push/undecided.ts'
import { finishSignOut, readSignOut } from '../sign-out/remove-all.ts'
import type { Engine } from './engine.ts'
import type { StateRow } from './rows.ts'
import { loadRows, SyncStore, type SyncStoreOptions } from './sync-store.ts'

export interface OpenOptions extends SyncStoreOptions {
  /** Random: for who begins after a sign-out. */
  readonly newDeviceId: () => string
}

export interface OpenedStore {
  readonly store: SyncStore
  /** The deviceId is not the one of last time. */
  readonly renamed: boolean
}

/**
 * Errors: `change_feed_off`; TypeError when the database belongs to another dbId: its revisions are
 * that server database's, and pushing them elsewhere would mix the two.
 */
export async function openSyncStore(
  engine: Engine,
  dbId: string,
  deviceId: string | undefined,
  options: OpenOptions,
): Promise<OpenedStore> {
  if (!engine.feedOn) {
    throw new EntiDBError(
      'change_feed_off',
      'Sync needs the change feed: open the database with changeFeed: true',
    )
  }
  await engine.open()
  const { unfinished } = await readSignOut(engine)
  if (unfinished) await finishSignOut(engine, options.newDeviceId())
  const { state, ...rows } = await loadRows(engine)
  if (state !== undefined && state.dbId !== dbId) {
    throw new TypeError(`This database is synced as ${state.dbId}, not as ${dbId}`)
  }
  const present = state ?? (await newState(engine, dbId, deviceId))
  const store = new SyncStore(engine, { ...rows, state: present }, options)
  const isGivenUp = deviceId === present.nameGivenUp
  const wanted = isGivenUp ? present.deviceId : (deviceId ?? present.deviceId)
  const renamed = wanted !== present.deviceId
  await store.transaction(async (tx) => {
    if (renamed) renumberForDevice(tx, wanted, null)
    // Written also when it is as it was: a new row registers sync as a reader of the feed.
    else tx.setState({})
  })
  return { store, renamed }
}

async function newState(
  engine: Engine,
  dbId: string,
  deviceId: string | undefined,
): Promise<StateRow> {
  const { freshStart } = await readSignOut(engine)
  const through = await engine.feedHead()
  // What is written after this look is in the feed.
  const entities = await engine.transaction(({ replica }) => replica.scan({ entriesMax: 1 }))
  const feedHasAll = engine.feedAfter === 0 || freshStart !== undefined
  return {
    id: 'state',
    dbId,
    deviceId: deviceId ?? freshStart?.deviceId ?? engine.identity.deviceId,
    cursor: 0,
    receivedThrough: 0,
    epoch: null,
    history: [],
    generation: 0,
    resync: null,
    revisionMax: 0,
    opIdOffset: 0,
    frozenOpIdMax: 0,
    feedPosition: freshStart?.feedPosition ?? 0,
    purgedThrough: 0,
    forgottenThrough: 0,
    scope: null,
    // After a sign-out, too, the feed has everything that is there.
    offer: entities.length === 0 || feedHasAll ? null : { through, after: null },
    looseRanges: [],
    split: null,
    groupLast: 0,
    batchLast: 0,
    evicted: 0,
    ledger: { committed: 0, committedLast: 0, keptBytes: 0, keptLast: 0, decisionLast: 0 },
  }
}
