/**
 * Extents that the tree no longer uses and that something may still read: an open snapshot, or the
 * superblock of the last checkpoint.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { Extent } from './extent.ts'
import { NodeRef, type Stored, type TreeNode } from './node.ts'
import type { SpaceMap } from './space.ts'

interface Retired {
  /** The first commit whose state does not need them. */
  readonly lsn: number
  stored: readonly Stored[]
  /** Roots of trees that were dropped whole. */
  trees: readonly NodeRef[]
}

export class RetiredSpace {
  #retired: Retired[] = []

  /**
   * `writingLsn`: a checkpoint of that state, or one before, is under way.
   */
  add(
    lsn: number,
    stored: readonly Stored[],
    trees: readonly NodeRef[],
    writingLsn: number | undefined,
  ): void {
    const kept: Stored[] = []
    for (const one of stored) {
      // A checkpoint may yet give it a place, or take that away again.
      if (writingLsn !== undefined && isOfState(one, writingLsn)) kept.push(one)
      // Keeping the extents alone lets go of the nodes.
      else if (one.extent !== undefined) kept.push({ extent: one.extent })
    }
    if (kept.length > 0 || trees.length > 0) this.#retired.push({ lsn, stored: kept, trees })
  }

  /** No checkpoint is under way any more: what has no place will get none. */
  forgetUnplaced(): void {
    for (const entry of this.#retired) {
      entry.stored = entry.stored.flatMap(({ extent }) => (extent === undefined ? [] : { extent }))
    }
  }

  /** Looks up what the trees dropped up to `lsn` consist of. */
  async resolveTrees(
    lsn: number,
    readNode: (extent: Extent) => MaybePromise<TreeNode>,
    step: () => Promise<void>,
  ): Promise<void> {
    for (const entry of this.#retired) {
      if (entry.lsn > lsn || entry.trees.length === 0) continue
      const found = [...entry.stored]
      for (const root of entry.trees) await collectStored(root, found, readNode, step)
      entry.stored = found
      entry.trees = []
    }
  }

  /** The extents that the state of `lsn` and later ones do not need. */
  extentsUpTo(lsn: number): Extent[] {
    const extents: Extent[] = []
    for (const entry of this.#retired) {
      if (entry.lsn > lsn) continue
      for (const { extent } of entry.stored) if (extent !== undefined) extents.push(extent)
    }
    return extents
  }

  /** Frees what neither the superblocks, at `superblockLsn`, nor a reader, at `readerLsn` or later, can reach. */
  release(superblockLsn: number, readerLsn: number, space: SpaceMap): void {
    const lsn = Math.min(superblockLsn, readerLsn)
    const kept: Retired[] = []
    const free: Extent[] = []
    for (const entry of this.#retired) {
      if (entry.lsn > lsn || entry.trees.length > 0) {
        kept.push(entry)
        continue
      }
      for (const { extent } of entry.stored) if (extent !== undefined) free.push(extent)
    }
    this.#retired = kept
    if (free.length > 0) space.freeAll(free)
  }
}

/** Can the state of `lsn` have what lies in no file yet? */
function isOfState(stored: Stored, lsn: number): boolean {
  return !(stored instanceof NodeRef) || (stored.node?.edit?.lsn ?? 0) <= lsn
}

async function collectStored(
  root: NodeRef,
  found: Stored[],
  readNode: (extent: Extent) => MaybePromise<TreeNode>,
  step: () => Promise<void>,
): Promise<void> {
  const waiting: NodeRef[] = [root]
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    found.push(ref)
    let node = ref.node
    if (node === undefined) {
      if (ref.extent === undefined) continue
      node = await readNode(ref.extent)
      await step()
    }
    if (node.kind === 'branch') waiting.push(...node.children)
    else for (const value of node.large ?? []) if (value !== undefined) found.push(value)
  }
}
