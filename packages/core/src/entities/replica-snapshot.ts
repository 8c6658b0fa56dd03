/** `replication(db).snapshot()`: what replication knows, at one moment, while writers go on. */
import type { CollectionReader } from './collection-reader.ts'
import type { DatabaseCore } from './database-core.ts'
import { findReplica, scanReplicas } from './replica-scan.ts'
import type { ReplicaEntry, ReplicaRef, ReplicaScanOptions } from './replication.ts'
import { Snapshot } from './snapshot.ts'
import { SnapshotSource } from './snapshot-source.ts'

/** A consistent view of every entity and tombstone. Holds space until released. */
export class ReplicaSnapshot {
  readonly #source: SnapshotSource
  readonly #snapshot: Snapshot

  /** @internal */
  constructor(core: DatabaseCore) {
    this.#source = new SnapshotSource(core)
    this.#snapshot = new Snapshot(core.catalog, this.#source)
  }

  /** As `tx.replica.scan`. Error: `transaction_closed` after `release`. */
  scan(options: ReplicaScanOptions): Promise<readonly ReplicaEntry[]> {
    return this.#source.read(({ view }) => scanReplicas(view, options))
  }

  /** What `scan` answers of one entity; undefined when nothing is known of it. */
  find(ref: ReplicaRef): Promise<ReplicaEntry | undefined> {
    return this.#source.read(({ view }) => findReplica(view, ref))
  }

  /** Reads a collection, also one of `openSystemCollections`. Error: `unknown_collection`. */
  collection<T extends { readonly id: string }>(name: string): CollectionReader<T> {
    // The caller knows what it stored there.
    return this.#snapshot.collection(name) as unknown as CollectionReader<T>
  }

  /** Gives the space back; scans under way end first. */
  release(): void {
    this.#source.release()
  }
}
