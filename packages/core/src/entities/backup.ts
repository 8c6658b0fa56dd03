/**
 * Consistent copies of a database in use, and making a database of one; what does it is loaded when somebody asks for
 * it.
 */
import { loadPart } from '../errors/load-part.ts'
import type { KeyValueStore, Storage } from '../store/key-value-store.ts'

/** What is used of a WritableStream of bytes. */
export interface ByteSink {
  getWriter(): ByteSinkWriter
}

/** The writer of a `ByteSink`, as of a `WritableStream`. */
export interface ByteSinkWriter {
  write(piece: Uint8Array): Promise<unknown>
  close(): Promise<unknown>
  abort(reason?: unknown): Promise<unknown>
  releaseLock?(): void
}

/** What is used of a ReadableStream of bytes. */
export interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
    cancel(reason?: unknown): Promise<unknown>
  }
}

/** How far a backup is. */
export interface BackupProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** How to follow a backup, and to end it. */
export interface BackupOptions {
  /** Called as the backup goes on. */
  readonly onProgress?: (progress: BackupProgress) => void
  /** Ends it with the signal's reason: the target is left without a database, the space it held is free. */
  readonly signal?: AbortSignal
}

/** What a backup, or a restored copy, came to. */
export interface BackupReport {
  readonly bytes: number
}

/** How to follow a restore, and to end it. */
export interface RestoreOptions {
  /** How much is not known beforehand. */
  /** Called as the restore goes on. */
  readonly onProgress?: (progress: { readonly doneBytes: number }) => void
  /** Ends it with the signal's reason; nothing is left of it. */
  readonly signal?: AbortSignal
}

/**
 * As `db.backup`, for a store that is open without a database.
 *
 * @throws TypeError for a store, or a target, that has no backups.
 */
export async function backUpStore(
  store: KeyValueStore,
  target: Storage | ByteSink,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const { runBackup } = await loadPart(() => import('./maintenance.ts'))
  return runBackup(store, target, options)
}

/**
 * Makes a database of a backup where there is none. What comes is checked as a whole before it becomes one: it
 * is there then, or nothing is. The database has the identity of the one that was copied.
 *
 * Errors: `database_exists`, `database_locked`, `corrupt` (the backup is damaged or cut off),
 * `not_a_database` (it is no backup), `format_too_new`, `disk_full`, `io_failed`, `read_only`, `load_failed`; whatever
 * the source throws. A TypeError for a storage that takes no backups, or pieces that are no bytes.
 *
 * @example
 * await restoreBackup((await fetch(url)).body, fileStorage('./restored'))
 */
export async function restoreBackup(
  source: AsyncIterable<Uint8Array> | ByteStream,
  storage: Storage,
  options: RestoreOptions = {},
): Promise<BackupReport> {
  const { runRestore } = await loadPart(() => import('./maintenance.ts'))
  return runRestore(source, storage, options)
}
