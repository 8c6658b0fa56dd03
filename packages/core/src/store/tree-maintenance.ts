/**
 * Verifying, copying and compacting the files of a tree store that is in use. Most of it is loaded when it is asked
 * for: a database does without it all day.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import { loadPart } from '../errors/load-part.ts'
import type { NamedTable } from './catalog.ts'
import { UNIT_BYTES } from './extent.ts'
import type {
  KeyValueStore,
  StoreLayout,
  StoreMaintenance,
  StoreVerification,
  WorkProgress,
} from './key-value-store.ts'
import type { Recovered } from './recovery.ts'
import { pause } from './scheduler.ts'
import { backupAbandoned } from './store-errors.ts'
import type { Superblock } from './superblock.ts'
import type { TreeStoreSettings } from './tree-store-options.ts'

/**
 * Checkpoints that a pin outlives while its reader does not move. An idle database may be backed up as
 * slowly as one likes; a busy one must not grow for ever because somebody forgot a backup.
 */
const IDLE_CHECKPOINTS_MAX = 256

/** A state of the file that is being read: nothing it needs is reused. */
export interface Pin {
  readonly lsn: number
  /** Checkpoints since its reader moved last. */
  idleCheckpoints: number
}

export interface MaintainedState {
  /** Of the last visible commit. */
  readonly tables: () => readonly NamedTable[]
  /** The last one written. */
  readonly superblock: () => Superblock
  readonly pins: Set<Pin>
  /** Error: `database_closed`. */
  readonly assertNotClosed: () => void
}

export class TreeMaintenance implements StoreMaintenance {
  readonly #store: Pick<KeyValueStore, 'begin' | 'checkpoint' | 'snapshot'>
  readonly #files: Pick<Recovered, 'pages' | 'space' | 'readFreeSpace'>
  readonly #settings: TreeStoreSettings
  readonly #state: MaintainedState
  #isCompacting = false

  constructor(
    store: Pick<KeyValueStore, 'begin' | 'checkpoint' | 'snapshot'>,
    files: Pick<Recovered, 'pages' | 'space' | 'readFreeSpace'>,
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
    const { verifyTree } = await loadPart(() => import('./maintenance.ts'))
    const { superblock, move, release } = await this.#pinTree()
    const step = async (done: number, total: number): Promise<void> => {
      onProgress({ done, total })
      await pause(this.#settings.scheduler)
      move()
    }
    try {
      return await verifyTree(this.#files.pages, superblock, { step })
    } catch (error) {
      // A file that was closed under the reader is no damage.
      this.#state.assertNotClosed()
      throw error
    } finally {
      release()
    }
  }

  async *backup(
    onProgress: (progress: WorkProgress) => void = () => {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { copyTree } = await loadPart(() => import('./maintenance.ts'))
    const { superblock, move, release } = await this.#pinTree()
    const total = superblock.endUnit * UNIT_BYTES
    let done = 0
    try {
      for await (const piece of copyTree(this.#files.pages, superblock, this.#settings.checksum)) {
        move()
        // Before it is handed over: a stream may take the buffer away.
        done += piece.length
        yield piece
        onProgress({ done, total })
        // Reading and writing may both answer at once, and others want to run.
        await pause(this.#settings.scheduler)
        move()
      }
    } catch (error) {
      this.#state.assertNotClosed()
      throw error
    } finally {
      release()
    }
  }

  async layout(): Promise<StoreLayout> {
    const { layoutOf } = await loadPart(() => import('./maintenance.ts'))
    const { pages, space, readFreeSpace } = this.#files
    await readFreeSpace()
    // What the tables lead to is not reused meanwhile.
    const snapshot = this.#store.snapshot()
    try {
      return await layoutOf(this.#state.tables(), pages, space, this.#state.superblock())
    } finally {
      snapshot.release()
    }
  }

  /** A checkpoint is complete: who has not moved for many of them is not waited for any longer. */
  noteCheckpoint(): void {
    const { pins } = this.#state
    for (const pin of pins) if (++pin.idleCheckpoints > IDLE_CHECKPOINTS_MAX) pins.delete(pin)
  }

  async compact(onProgress: (progress: WorkProgress) => void = () => {}): Promise<void> {
    if (this.#isCompacting) return
    this.#isCompacting = true
    try {
      const { compactTree } = await loadPart(() => import('./maintenance.ts'))
      await compactTree(this.#store, this.#files, this.#state.tables, onProgress)
    } finally {
      this.#isCompacting = false
    }
  }

  /** The tree that the file has: that of now, where there is space for it. */
  async #pinTree(): Promise<PinnedTree> {
    try {
      await this.#store.checkpoint()
    } catch (error) {
      if (!isEntiDBError(error, 'disk_full')) throw error
    }
    const superblock = this.#state.superblock()
    const pin = { lsn: superblock.checkpointLsn, idleCheckpoints: 0 }
    const { pins } = this.#state
    pins.add(pin)
    const move = (): void => {
      this.#state.assertNotClosed()
      if (!pins.has(pin)) throw backupAbandoned()
      pin.idleCheckpoints = 0
    }
    return { superblock, move, release: () => void pins.delete(pin) }
  }
}

interface PinnedTree {
  readonly superblock: Superblock
  /**
   * To be called when something was read: it is right only if this does not throw. Errors:
   * `backup_abandoned`, `database_closed`.
   */
  move(): void
  release(): void
}
