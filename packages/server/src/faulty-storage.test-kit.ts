/** Storage in memory that outlives a server which was dropped without closing, and whose flushes can fail. */
import {
  createMemoryFileSystem,
  EntiDBError,
  type File,
  type FileSystem,
  type Storage,
  treeStorage,
} from '@entidb/core'

export interface FaultyStorage {
  /** Opens the same files again, whoever has them open: what a crash leaves behind. */
  readonly storage: Storage
  /** While true no flush succeeds. */
  failing: boolean
  /** No flush succeeds after so many more. */
  failAfter(flushes: number): void
  /** Flushes wait for it. */
  held: Promise<void>
}

export function createFaultyStorage(): FaultyStorage {
  const files = createMemoryFileSystem()
  let flushesLeft = Number.POSITIVE_INFINITY
  const faulty: FaultyStorage = {
    storage: treeStorage(
      withoutLock(files, async () => {
        await faulty.held
        return faulty.failing || flushesLeft-- <= 0
      }),
    ),
    failing: false,
    held: Promise.resolve(),
    failAfter: (flushes) => {
      flushesLeft = flushes
    },
  }
  return faulty
}

function withoutLock(files: FileSystem, isFailing: () => Promise<boolean>): FileSystem {
  return {
    description: files.description,
    lock: async () => ({ release: async () => {} }),
    open: async (name, options) => {
      const file = await files.open(name, options)
      return file === undefined ? undefined : withFlush(file, isFailing)
    },
    list: () => files.list(),
    rename: (from, to) => files.rename(from, to),
    remove: (name) => files.remove(name),
    flushDirectory: () => files.flushDirectory(),
  }
}

function withFlush(file: File, isFailing: () => Promise<boolean>): File {
  return {
    name: file.name,
    size: () => file.size(),
    readAt: (offset, target) => file.readAt(offset, target),
    writeAt: (offset, bytes) => file.writeAt(offset, bytes),
    truncate: (size) => file.truncate(size),
    flush: async () => {
      if (await isFailing()) throw new EntiDBError('io_failed', 'The test lets flushes fail')
      await file.flush()
    },
    close: () => file.close(),
  }
}
