/**
 * FileSystem port: the one directory of files that a store lives in. Every implementation passes the
 * suite of `file-system-conformance.ts`.
 *
 * Durability: bytes written are durable after `flush()` of that file resolved; a file's creation, a
 * rename and a removal are durable after `flushDirectory()` resolved. Nothing else is promised: what
 * is not flushed may be lost, reordered or torn by a crash. A flush that failed is never to be
 * retried: the system may have dropped what it could not write, and would report success for it.
 *
 * Errors: `disk_full` (the bytes may be partly written, and the file longer for it) and `io_failed`
 * (anything else the system reports), both with `details.file` and `details.operation`; `read_only`
 * from `lock` and `open` where the system grants no writing. A bad name or position is a `TypeError`.
 *
 * Use: a file is open once at a time, and closed when it is renamed, replaced or removed; some
 * systems refuse anything else.
 */

/** Implementations that can answer at once do: a synchronous read of a cached page costs microseconds, a promise more. */
export type MaybePromise<T> = T | Promise<T>

/** One open file of a `FileSystem`. */
export interface File {
  /** As it was opened. */
  readonly name: string
  /** Bytes, as of the last write or truncate through this handle. */
  size(): number
  /**
   * Fills `target` from `offset`. Returns the number of bytes read: less than asked only where the
   * file ends.
   */
  readAt(offset: number, target: Uint8Array): MaybePromise<number>
  /** Writes all of `bytes` at `offset` (a gap is filled with zeros) or fails. `bytes` may be reused afterwards. */
  writeAt(offset: number, bytes: Uint8Array): MaybePromise<void>
  /** Cuts the file to `size` bytes, or extends it with zeros. Extending reserves no space. */
  truncate(size: number): MaybePromise<void>
  /**
   * The durability barrier (fsync or its equal) for the content of this file, as of the call. After
   * one failed, every later write, truncate and flush of this file fails with `io_failed`; reads go on.
   */
  flush(): Promise<void>
  /**
   * As `flush`, before it returns: faster where nobody else has anything to do meanwhile. Answers false, and
   * has done nothing, while a `flush` is under way, or when it would block for long. Absent where the host
   * has no such call.
   */
  readonly flushSync?: (() => boolean) | undefined
  /** Waits for flushes under way and makes nothing durable. Any later use fails. Closing twice is harmless. */
  close(): Promise<void>
}

/** Exclusive ownership of the directory, across processes. */
export interface DirectoryLock {
  /** Close the files first: the next owner may come at once. Releasing twice is harmless. */
  release(): Promise<void>
}

/** A directory: what the store needs of a place for files. `fileSystemConformance` tests an implementation. */
export interface FileSystem {
  /** For messages: a path, or a name such as `memory`. */
  readonly description: string
  /**
   * Takes ownership of the directory, creating it (durably) when it does not exist: one that exists is
   * durable after `flushDirectory`, as its files are. The lock of a
   * process that died is taken over, without delay. Error: `database_locked`, at once, whoever has it:
   * another process, or another part of this one (`details.holder` is `{ pid }` where known).
   */
  lock(): Promise<DirectoryLock>
  /** Opens for reading and writing. Undefined when the file is absent and `create` is false. */
  open(name: string, options: { readonly create: boolean }): Promise<File | undefined>
  /** Names of the files that `open` would find, in no particular order. What else is there is left alone. */
  list(): Promise<readonly string[]>
  /** In one step, replacing `to` when it exists. `io_failed` when `from` does not. */
  rename(from: string, to: string): Promise<void>
  /** Removing an absent file is not an error. */
  remove(name: string): Promise<void>
  flushDirectory(): Promise<void>
}
