/**
 * A store that is looked at and not changed: what recovery finds is kept in memory, and nothing is written to
 * the files. It holds the lock of the directory, because they must not change under it either.
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { DirectoryLock, File, FileSystem } from '../files/file-system.ts'
import { UNIT_BYTES } from './extent.ts'
import { DATA_FILE, walGenerationOf } from './format.ts'
import type {
  KeyValueStore,
  RecoveryReport,
  StoreMaintenance,
  StoreSnapshot,
  StoreStats,
} from './key-value-store.ts'
import { OpenSnapshots } from './open-snapshots.ts'
import { type Recovered, recover } from './recovery.ts'
import { pause } from './scheduler.ts'
import { corrupt, databaseClosed, readOnly } from './store-errors.ts'
import { TreeSnapshot } from './store-snapshot.ts'
import { layoutOf } from './tree-layout.ts'
import { settingsOf, type TreeStoreOptions, type TreeStoreSettings } from './tree-store-options.ts'
import { verifyTree } from './verify-tree.ts'

/** Errors: `not_a_database` (also where there is none), `database_locked`, `format_too_new`, `corrupt`, `io_failed`. */
export async function openReadOnlyStore(
  fileSystem: FileSystem,
  options: TreeStoreOptions,
): Promise<KeyValueStore> {
  const settings = settingsOf(options)
  const lock = await fileSystem.lock()
  let data: File | undefined
  try {
    data = await openExisting(fileSystem)
    const recovered = await recover(fileSystem, data, settings)
    return new ReadOnlyStore(lock, recovered, await walBytesOf(fileSystem), settings)
  } catch (error) {
    await data?.close().catch(() => {})
    await lock.release()
    throw error
  }
}

async function openExisting(fileSystem: FileSystem): Promise<File> {
  const data = await fileSystem.open(DATA_FILE, { create: false })
  if (data !== undefined) return data
  const names = await fileSystem.list()
  if (names.some((name) => walGenerationOf(name) !== undefined)) {
    throw corrupt(DATA_FILE, 0, 'the file is missing')
  }
  throw new EntiDBError('not_a_database', `there is no database in ${fileSystem.description}`, {
    details: { file: DATA_FILE },
  })
}

async function walBytesOf(fileSystem: FileSystem): Promise<number> {
  let bytes = 0
  for (const name of await fileSystem.list()) {
    if (walGenerationOf(name) === undefined) continue
    const file = await fileSystem.open(name, { create: false })
    bytes += file?.size() ?? 0
    await file?.close()
  }
  return bytes
}

class ReadOnlyStore implements KeyValueStore {
  readonly recovery: RecoveryReport
  readonly maintenance: StoreMaintenance
  readonly #lock: DirectoryLock
  readonly #recovered: Recovered
  readonly #walBytes: number
  readonly #snapshots = new OpenSnapshots()
  #isClosed = false

  constructor(
    lock: DirectoryLock,
    recovered: Recovered,
    walBytes: number,
    { scheduler }: TreeStoreSettings,
  ) {
    const { head, pages, space, superblock, report } = recovered
    this.#lock = lock
    this.#recovered = recovered
    this.#walBytes = walBytes
    this.recovery = report
    this.maintenance = {
      verify: (onProgress = () => {}) =>
        verifyTree(pages, superblock, {
          step: async (done, total) => {
            onProgress({ done, total })
            await pause(scheduler)
            this.#assertOpen()
          },
        }),
      // biome-ignore lint/correctness/useYield: the log is not in the file, and must not be written there
      backup: async function* () {
        throw readOnly()
      },
      compact: async () => {
        throw readOnly()
      },
      layout: async () => {
        await recovered.readFreeSpace()
        return layoutOf(head.tables(), pages, space, superblock)
      },
    }
  }

  async begin(): Promise<never> {
    this.#assertOpen()
    throw readOnly()
  }

  snapshot(): StoreSnapshot {
    this.#assertOpen()
    const { head, pages } = this.#recovered
    const snapshot = new TreeSnapshot(head, pages, this.#assertOpen, (released) =>
      this.#snapshots.remove(released),
    )
    this.#snapshots.add(snapshot)
    return snapshot
  }

  async checkpoint(): Promise<void> {
    this.#assertOpen()
    throw readOnly()
  }

  stats(): StoreStats {
    const { head, pages, space } = this.#recovered
    const tables = head.tables()
    return {
      state: this.#isClosed ? 'closed' : 'open',
      lastLsn: head.lsn,
      tables: tables.length,
      entries: tables.reduce((sum, [, table]) => sum + table.count, 0),
      walBytes: this.#walBytes,
      fileBytes: space.endUnit * UNIT_BYTES + this.#walBytes,
      cacheBytes: pages.cacheBytes,
      openSnapshots: this.#snapshots.size,
      checkpoints: 0,
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#recovered.pages.file.close().catch(() => {})
    await this.#lock.release()
  }

  readonly #assertOpen = (): void => {
    if (this.#isClosed) throw databaseClosed()
  }
}
