/** Reading one key from an immutable tree. */
import type { MaybePromise } from '../files/file-system.ts'
import { at, LargeValue, type Leaf, type NodeRef } from './node.ts'
import type { NodeSource } from './node-source.ts'

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
      const loaded = source.load(ref)
      if (loaded instanceof Promise) return loaded.then(() => findInTree(root, key, source))
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
  const value = leaf.valueAt(position)
  return value instanceof LargeValue ? source.loadValue(value) : value
}
