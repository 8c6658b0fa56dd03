/**
 * The native store as the storage of a database. What it does is loaded when it is asked for: a page that has only
 * described where its data is has loaded none of the store.
 */
import { loadPart, Part } from '../errors/load-part.ts'
import type { FileSystem } from '../files/file-system.ts'
import { crc32 } from './checksum.ts'
import type { Storage } from './key-value-store.ts'
import type { TreeStoreOptions } from './tree-store-options.ts'

/** What opens a store that is written to. */
export const treeStorePart: Part<typeof import('./tree-store.ts')> = new Part(
  () => import('./tree-store.ts'),
)

/** A directory as the storage of a database. */
export function treeStorage(
  fileSystem: FileSystem,
  tunables: Omit<TreeStoreOptions, 'durability'> = {},
): Storage {
  const { checksum = crc32 } = tunables
  return {
    description: fileSystem.description,
    open: async ({ durability, readOnly = false }) => {
      const options = { ...tunables, durability }
      if (readOnly) {
        const { openReadOnlyStore } = await loadPart(() => import('./maintenance.ts'))
        return openReadOnlyStore(fileSystem, options)
      }
      const { openTreeStore } = await treeStorePart.get()
      return openTreeStore(fileSystem, options)
    },
    restore: async (pieces, onProgress = () => {}) => {
      const { restoreTree } = await loadPart(() => import('./maintenance.ts'))
      return restoreTree(fileSystem, pieces, checksum, onProgress)
    },
    async *salvage(options) {
      const { salvageStore } = await loadPart(() => import('./maintenance.ts'))
      yield* salvageStore(fileSystem, checksum, options)
    },
  }
}
