/** Reads of one state of the store, for as long as somebody holds it. */
import type { StoreSnapshot } from '../store/key-value-store.ts'
import type { DatabaseCore } from './database-core.ts'
import { snapshotReleased } from './entity-errors.ts'
import { EntityReader } from './entity-reader.ts'
import type { PinnedView, ReadSource } from './read-source.ts'
import { runSteps, type Steps } from './steps.ts'

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
