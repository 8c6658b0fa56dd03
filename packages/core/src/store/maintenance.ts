/**
 * What is done with the files of a store as a whole, now and then. It is loaded together, when any of it is asked for:
 * each in a part of its own would tear what they share, with each other and with the store, into many small files,
 * which compress badly.
 */
export { compactTree } from './compact-tree.ts'
export { copyTree, restoreTree } from './copy-tree.ts'
export { openReadOnlyStore } from './read-only-store.ts'
export { salvageStore } from './salvage-store.ts'
export { layoutOf } from './tree-layout.ts'
export { verifyTree } from './verify-tree.ts'
