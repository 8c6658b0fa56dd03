/** A database in memory. */
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import type { Storage } from '../store/key-value-store.ts'
import { treeStorage } from '../store/tree-storage.ts'

/**
 * Keeps everything in memory, for as long as the answer is referred to: opened again after `close`, it is
 * the same database. For tests, caches and servers that need not outlive the process.
 */
export function memoryStorage(): Storage {
  return treeStorage(createMemoryFileSystem())
}
