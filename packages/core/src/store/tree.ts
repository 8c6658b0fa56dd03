/** Reading one key from an immutable tree. */
import type { MaybePromise } from '../files/file-system.ts'
import { at, LargeValue, type NodeRef } from './node.ts'
import { isAt, lowerBound, upperBound } from './node-search.ts'
import type { NodeSource } from './node-source.ts'

export function getFromTree(
  root: NodeRef | undefined,
  key: Uint8Array,
  source: NodeSource,
): MaybePromise<Uint8Array | undefined> {
  let ref = root
  while (ref !== undefined) {
    let node = ref.node
    if (node === undefined) {
      const loaded = source.load(ref)
      if (loaded instanceof Promise) return loaded.then(() => getFromTree(ref, key, source))
      node = loaded
    }
    if (node.kind === 'branch') {
      ref = at(node.children, upperBound(node, key))
      continue
    }
    const index = lowerBound(node, key)
    if (!isAt(node, index, key)) return undefined
    const value = at(node.values, index)
    return value instanceof LargeValue ? source.loadValue(value) : value
  }
  return undefined
}
