/** What the parts of one open database share. */
import type { KeyValueStore } from '../store/key-value-store.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { Catalog } from './catalog.ts'
import type { CommitLog } from './commit-log.ts'
import type { EntityCache } from './entity-cache.ts'
import type { FeedState } from './feed-state.ts'
import type { LiveQueries } from './live-queries.ts'
import type { DatabaseIdentity } from './replication.ts'

/** Bounds of one database. */
export interface DatabaseLimits {
  /** Encoded size of an entity that the application writes; what it syncs with may send larger ones. Default 16 MiB. */
  readonly maxEntityBytes: number
  /** UTF-8 bytes of the id of an entity that the application writes; what it syncs with may send up to 512. Default 512. */
  readonly maxIdBytes: number
  /** What the entities kept decoded in memory take there, about. Default 96 MiB. */
  readonly maxCacheBytes: number
  /**
   * How long a transaction may do nothing while others wait for it, before it is rolled back with
   * `transaction_abandoned`. Default 30 seconds.
   */
  readonly maxIdleTransactionMs: number
}

export interface DatabaseCore {
  readonly store: KeyValueStore
  readonly catalog: Catalog
  readonly cache: EntityCache
  readonly identity: DatabaseIdentity
  readonly limits: DatabaseLimits
  /** Wall clock in milliseconds, maybe with a fraction, for `timestampMs` only. */
  readonly clock: () => number
  readonly scheduler: Scheduler
  readonly commits: CommitLog
  readonly feed: FeedState
  readonly live: LiveQueries
}
