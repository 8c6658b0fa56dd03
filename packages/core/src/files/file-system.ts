/**
 * FileSystem port: the one directory of files that a store lives in. Every implementation passes the
 * suite of `file-system-conformance.ts`.
 *
 * Durability: bytes written are durable after `flush()` of that file resolved; a file's creation, a
 * rename and a removal are durable after `flushDirectory()` resolved. Nothing else is promised: what
 * is not flushed may be lost, reordered or torn by a crash.
 *
 * Errors: `disk_full` (the bytes may be partly written), `io_failed` (anything else the system
 * reports), both with `details.file` and `details.operation`.
 */

/** Implementations that can answer at once do: a synchronous read of a cached page costs microseconds, a promise more. */
export type MaybePromise<T> = T | Promise<T>

export interface File {
  readonly name: string
  /** Bytes, as of the last write or truncate through this handle. */
  size(): number
  /**
   * Fills `target` from `offset`. Returns the number of bytes read: less than asked only where the
   * file ends.
   */
  readAt(offset: number, target: Uint8Array): MaybePromise<number>
  /** Writes all of `bytes` at `offset` (a gap is filled with zeros) or fails. */
  writeAt(offset: number, bytes: Uint8Array): MaybePromise<void>
  truncate(size: number): MaybePromise<void>
  /** The durability barrier (fsync or its equal) for the content of this file. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** Exclusive ownership of the directory, across processes. */
export interface DirectoryLock {
  release(): Promise<void>
}

export interface FileSystem {
  /** For messages: a path, or a name such as `memory`. */
  readonly description: string
  /**
   * Takes ownership of the directory, creating it (durably) when it does not exist. The lock of a
   * process that died is taken over. Error: `database_locked` (`details.holder` where known).
   */
  lock(): Promise<DirectoryLock>
  /** Opens for reading and writing. Undefined when the file is absent and `create` is false. */
  open(name: string, options: { readonly create: boolean }): Promise<File | undefined>
  /** Names of the files, in no particular order. */
  list(): Promise<readonly string[]>
  /** Replaces `to` when it exists. */
  rename(from: string, to: string): Promise<void>
  /** Removing an absent file is not an error. */
  remove(name: string): Promise<void>
  flushDirectory(): Promise<void>
}
