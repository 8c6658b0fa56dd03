/** Verifying, copying and compacting the files of a tree store that is in use. */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { NamedTable } from './catalog.ts'
import { commitNothing, findEntriesBeyond, moveEntries } from './compact-tree.ts'
import { copyTree } from './copy-tree.ts'
import type {
  KeyValueStore,
  StoreMaintenance,
  StoreVerification,
  WorkProgress,
} from './key-value-store.ts'
import type { Recovered } from './recovery.ts'
import { pause } from './scheduler.ts'
import type { Superblock } from './superblock.ts'
import type { TreeStoreSettings } from './tree-store-options.ts'
import { verifyTree } from './verify-tree.ts'

/** What moves needs room that other extents leave only by moving: hence several rounds. */
const COMPACT_ROUNDS_MAX = 10

/** A state of the file that is being read: nothing it needs is reused. */
export interface Pin {
  readonly lsn: number
}

export interface MaintainedState {
  /** Of the last visible commit. */
  readonly tables: () => readonly NamedTable[]
  /** The last one written. */
  readonly superblock: () => Superblock
  readonly pins: Set<Pin>
}

export class TreeMaintenance implements StoreMaintenance {
  readonly #store: Pick<KeyValueStore, 'begin' | 'checkpoint'>
  readonly #files: Pick<Recovered, 'pages' | 'space'>
  readonly #settings: TreeStoreSettings
  readonly #state: MaintainedState
  #isCompacting = false

  constructor(
    store: Pick<KeyValueStore, 'begin' | 'checkpoint'>,
    files: Pick<Recovered, 'pages' | 'space'>,
    settings: TreeStoreSettings,
    state: MaintainedState,
  ) {
    this.#store = store
    this.#files = files
    this.#settings = settings
    this.#state = state
  }

  get isCompacting(): boolean {
    return this.#isCompacting
  }

  async verify(
    onProgress: (progress: WorkProgress) => void = () => {},
  ): Promise<StoreVerification> {
    const { superblock, release } = await this.#pinTree()
    const step = async (done: number, total: number): Promise<void> => {
      onProgress({ done, total })
      await pause(this.#settings.scheduler)
    }
    try {
      return await verifyTree(this.#files.pages, superblock, { step })
    } finally {
      release()
    }
  }

  async *backup(): AsyncGenerator<Uint8Array, void, undefined> {
    const { superblock, release } = await this.#pinTree()
    try {
      yield* copyTree(this.#files.pages, superblock, this.#settings.checksum)
    } finally {
      release()
    }
  }

  async compact(onProgress: (progress: WorkProgress) => void = () => {}): Promise<void> {
    if (this.#isCompacting) return
    this.#isCompacting = true
    try {
      for (let round = 0; round < COMPACT_ROUNDS_MAX; round++) {
        onProgress({ done: round, total: COMPACT_ROUNDS_MAX })
        if (!(await this.#compactOnce())) break
      }
      onProgress({ done: COMPACT_ROUNDS_MAX, total: COMPACT_ROUNDS_MAX })
    } finally {
      this.#isCompacting = false
    }
  }

  /** Whether another round is worth it. */
  async #compactOnce(): Promise<boolean> {
    const { space, pages } = this.#files
    await this.#store.checkpoint()
    const endBefore = space.endUnit
    const liveUnits = endBefore - space.freeUnits
    space.restart()
    const target = liveUnits + Math.ceil(liveUnits / 16)
    const entries = findEntriesBeyond(this.#state.tables(), pages, target)
    const moved = await moveEntries(this.#store, entries)
    await this.#store.checkpoint()
    // What moved is free only now; the next checkpoint can cut it off.
    await commitNothing(this.#store)
    await this.#store.checkpoint()
    return moved > 0 && space.endUnit < endBefore
  }

  /** The tree that the file has: that of now, where there is space for it. */
  async #pinTree(): Promise<{ readonly superblock: Superblock; release(): void }> {
    try {
      await this.#store.checkpoint()
    } catch (error) {
      if (!isEntiDBError(error, 'disk_full')) throw error
    }
    const superblock = this.#state.superblock()
    const pin = { lsn: superblock.checkpointLsn }
    const { pins } = this.#state
    pins.add(pin)
    return { superblock, release: () => void pins.delete(pin) }
  }
}
