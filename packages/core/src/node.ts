/** `@entidb/core/node`: a database in a directory. */
import * as zlib from 'node:zlib'
import { enginePart } from './entities/open-database.ts'
import * as engine from './entities/prepare-database.ts'
import { createNodeFileSystem } from './files/node-file-system.ts'
import { type Checksum, crc32 } from './store/checksum.ts'
import type { Storage } from './store/key-value-store.ts'
import { treeStorage, treeStorePart } from './store/tree-storage.ts'
import * as treeStore from './store/tree-store.ts'

// What opening loads in a page is loaded with the program here: opening is measured in milliseconds.
enginePart.provide(engine)
treeStorePart.provide(treeStore)

/** Node's own, where this Node has it: the same checksum several times faster. */
const fastestCrc32: Checksum = typeof zlib.crc32 === 'function' ? zlib.crc32 : crc32

/** Options of `fileStorage`. */
export interface FileStorageOptions {
  /** Bytes of the tree kept in memory, at most. Default 48 MiB. */
  readonly cacheBytes?: number
}

/**
 * A directory, created when it does not exist; one process at a time has it open (`database_locked`).
 *
 * @example
 * const db = await EntiDB.open({ storage: fileStorage('./data'), collections })
 */
export function fileStorage(directory: string, options: FileStorageOptions = {}): Storage {
  return treeStorage(createNodeFileSystem(directory), { ...options, checksum: fastestCrc32 })
}
