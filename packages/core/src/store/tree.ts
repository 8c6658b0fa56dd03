/** Reading one key from an immutable tree. */
import type { MaybePromise } from '../files/file-system.ts'
import { at, LargeValue, type Leaf, type LeafValue, type NodeRef } from './node.ts'
import { FoundInLeaf, type NodeSource } from './node-source.ts'

export function getFromTree(
  root: NodeRef | undefined,
  key: Uint8Array,
  source: NodeSource,
): MaybePromise<Uint8Array | undefined> {
  source.makeRoom()
  return findInTree(root, key, source)
}

function findInTree(
  root: NodeRef | undefined,
  key: Uint8Array,
  source: NodeSource,
): MaybePromise<Uint8Array | undefined> {
  let ref = root
  while (ref !== undefined) {
    let node = ref.node
    if (node === undefined) {
      const loaded = source.loadOrFind(ref, key)
      if (loaded instanceof FoundInLeaf) return foundValue(loaded.value, source)
      if (loaded instanceof Promise) {
        return loaded.then((later) =>
          later instanceof FoundInLeaf
            ? foundValue(later.value, source)
            : findInTree(root, key, source),
        )
      }
      node = loaded
    }
    // Most are marked already: reading is cheaper than writing.
    if (!ref.wasUsed) ref.wasUsed = true
    if (node.kind === 'branch') {
      ref = at(node.children, node.separators.upperBound(key))
      continue
    }
    const position = node.entries.search(key)
    return position < 0 ? undefined : readValue(node, position, source)
  }
  return undefined
}

export function readValue(
  leaf: Leaf,
  position: number,
  source: NodeSource,
): MaybePromise<Uint8Array> {
  return loadedValue(leaf.valueAt(position), source)
}

function foundValue(
  value: LeafValue | undefined,
  source: NodeSource,
): MaybePromise<Uint8Array | undefined> {
  return value === undefined ? undefined : loadedValue(value, source)
}

function loadedValue(value: LeafValue, source: NodeSource): MaybePromise<Uint8Array> {
  return value instanceof LargeValue ? source.loadValue(value) : value
}
