/** A consistent view of the whole database, while writers go on. */

import type { StoreSnapshot } from '../store/key-value-store.ts'
import type { CollectionDefinitions, EntityOf } from './collection-definition.ts'
import { CollectionReader, type ReadScope } from './collection-reader.ts'
import type { DatabaseCore } from './database-core.ts'
import { snapshotReleased } from './entity-errors.ts'
import { EntityReader } from './entity-reader.ts'
import type { PinnedView, ReadSource } from './read-source.ts'
import { runSteps, type Steps } from './steps.ts'

/** Holds space until released. Reads after that are `transaction_closed`. */
export class Snapshot<D extends CollectionDefinitions = CollectionDefinitions>
  implements ReadScope<D>
{
  readonly #core: DatabaseCore
  readonly #source: SnapshotSource

  constructor(core: DatabaseCore, source: SnapshotSource = new SnapshotSource(core)) {
    this.#core = core
    this.#source = source
  }

  /** Error: `unknown_collection`. */
  collection<K extends keyof D & string>(name: K): CollectionReader<EntityOf<D[K]>> {
    return new CollectionReader(this.#core.catalog.find(name), this.#source)
  }

  release(): void {
    this.#source.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** Reads on one view of the store, which is held until the last of them has ended. */
export class SnapshotSource implements ReadSource {
  readonly readsLatest = false
  readonly #view: StoreSnapshot
  readonly #reader: EntityReader
  #holders = 1
  #released = false

  constructor(core: DatabaseCore) {
    this.#view = core.store.snapshot()
    this.#reader = new EntityReader(this.#view, core.commits)
  }

  assertOpen(): void {
    if (this.#released) throw snapshotReleased()
  }

  async read<T>(task: (reader: EntityReader) => Steps<T>): Promise<T> {
    this.assertOpen()
    return this.#hold(task)
  }

  /** A scan under way outlives `release`. */
  pin(): PinnedView {
    this.assertOpen()
    this.#holders++
    let held = true
    return {
      read: (task) => this.#hold(task),
      release: () => {
        if (held) this.#letGo()
        held = false
      },
    }
  }

  release(): void {
    if (!this.#released) this.#letGo()
    this.#released = true
  }

  async #hold<T>(task: (reader: EntityReader) => Steps<T>): Promise<T> {
    this.#holders++
    try {
      return await runSteps(task(this.#reader))
    } finally {
      this.#letGo()
    }
  }

  #letGo(): void {
    if (--this.#holders === 0) this.#view.release()
  }
}
