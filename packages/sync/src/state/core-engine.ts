/** The engine port on `@entidb/core`. */
import { defineCollection, type EntiDB, type Transaction } from '@entidb/core'
import { type Replication, replication } from '@entidb/core/replication'
import {
  type Engine,
  type EngineSnapshot,
  type EngineTransaction,
  SYNC_ORIGIN,
  type SystemRows,
} from './engine.ts'
import {
  COMMITTED_COLLECTION,
  EVICTED_COLLECTION,
  FATES_COLLECTION,
  FROZEN_COLLECTION,
  KEPT_COLLECTION,
  NOTES_COLLECTION,
  PIECES_COLLECTION,
  SEEN_COLLECTION,
  STATE_COLLECTION,
} from './rows.ts'

/** Sync's name among the readers of the change feed. */
const FEED_READER = 'sync'

interface SystemRow {
  readonly id: string
  readonly group?: number | null
}

const SYSTEM_COLLECTIONS = {
  [STATE_COLLECTION]: defineCollection<SystemRow>({}),
  [FROZEN_COLLECTION]: defineCollection<SystemRow>({}),
  [NOTES_COLLECTION]: defineCollection<SystemRow>({}),
  [PIECES_COLLECTION]: defineCollection<SystemRow>({}),
  [FATES_COLLECTION]: defineCollection<SystemRow>({ indexes: { group: ['group'] } }),
  [SEEN_COLLECTION]: defineCollection<SystemRow>({}),
  [EVICTED_COLLECTION]: defineCollection<SystemRow>({}),
  [COMMITTED_COLLECTION]: defineCollection<SystemRow>({}),
  [KEPT_COLLECTION]: defineCollection<SystemRow>({}),
}

/** Asks who has sync of a database whether another client may have it. */
const claims = new WeakMap<EntiDB, () => boolean>()

function claim(db: EntiDB, letGo: () => boolean): () => void {
  if (claims.get(db)?.() === false) {
    throw new TypeError('Another EntiDBSync works on this database: stop() that one first')
  }
  claims.set(db, letGo)
  return () => {
    if (claims.get(db) === letGo) claims.delete(db)
  }
}

export function coreEngine(db: EntiDB): Engine {
  const core = replication(db)
  return {
    identity: core.identity,
    get feedOn() {
      return core.feedOn
    },
    claim: (letGo) => claim(db, letGo),
    entityOf: ({ collection, entityId }, state) => core.entityOf(collection, entityId, state),
    assertDefined: (collection) => {
      db.collection(collection)
    },
    open: async () => {
      await core.openSystemCollections(SYSTEM_COLLECTIONS)
    },
    systemCollections: Object.keys(SYSTEM_COLLECTIONS),
    get feedAfter() {
      return core.feedAfter
    },
    feedHead: () => core.feedHead(),
    readFeed: (options) => core.readFeed(options),
    onCommit: (listener) => core.onCommit(listener),
    snapshot: () => engineSnapshot(core),
    transaction: (run) =>
      db.transaction((tx) => run(engineTransaction(tx, core)), { origin: SYNC_ORIGIN }),
  }
}

function engineSnapshot(core: Replication): EngineSnapshot {
  const snapshot = core.snapshot()
  return {
    scan: (options) => snapshot.scan(options),
    find: (ref) => snapshot.find(ref),
    get: (collection, id) => snapshot.collection<SystemRow>(collection).get(id),
    rows: (collection) => snapshot.collection<SystemRow>(collection).scan({}),
    release: () => snapshot.release(),
  }
}

function engineTransaction(tx: Transaction, core: Replication): EngineTransaction {
  return {
    replica: tx.replica,
    system: systemRows(tx, core),
    put: async (collection, entity) => {
      await tx.collection(collection).put(entity)
    },
    putAll: async (collection, entities) => {
      await tx.collection(collection).putMany(entities)
    },
    delete: async (collection, entityId) => {
      await tx.collection(collection).delete(entityId)
    },
    acknowledgeFeed: (opId) =>
      core.acknowledgeFeed(tx, FEED_READER, opId, { ignores: SYNC_ORIGIN }),
  }
}

function systemRows(tx: Transaction, core: Replication): SystemRows {
  const systemName = (name: string): `_${string}` => `_${name.slice(1)}`
  const rows = (name: string) => tx.collection<SystemRow>(systemName(name))
  return {
    get: (collection, id) => rows(collection).get(id),
    put: async (collection, row) => {
      await rows(collection).put(row)
    },
    putAll: async (collection, all) => {
      await rows(collection).putMany(all)
    },
    delete: async (collection, id) => {
      await rows(collection).delete(id)
    },
    deleteAll: (collection, ids) => core.removeAll(tx, systemName(collection), ids),
    all: (collection) => rows(collection).find({}),
    page: (collection, { after, limit }) =>
      rows(collection).find({
        orderBy: { id: 'asc' },
        limit,
        ...(after === undefined ? {} : { where: { id: { gt: after } } }),
      }),
    ofGroup: (collection, group) => rows(collection).find({ where: { group } }),
  }
}
