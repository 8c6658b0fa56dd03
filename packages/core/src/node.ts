/** `@entidb/core/node`: a database in a directory. */
import { createNodeFileSystem } from './files/node-file-system.ts'
import type { Storage } from './store/key-value-store.ts'
import { treeStorage } from './store/tree-store.ts'

/**
 * A directory, created when it does not exist; one process at a time has it open (`database_locked`).
 *
 * @example
 * const db = await EntiDB.open({ storage: fileStorage('./data'), collections })
 */
export function fileStorage(directory: string): Storage {
  return treeStorage(createNodeFileSystem(directory))
}
