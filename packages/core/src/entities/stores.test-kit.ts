/** The stores that the tests of this folder run on: the real one, and one that answers nothing at once. */
import type { Storage } from '../store/key-value-store.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'

export const stores: readonly { readonly store: string; readonly createStorage: () => Storage }[] =
  [
    { store: 'tree', createStorage: memoryStorage },
    { store: 'async', createStorage: () => naiveStorage({ async: true }) },
  ]
