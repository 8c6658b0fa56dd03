/**
 * Reads extents of the data file; every byte passes its checksum before it is used. An extent that
 * is damaged fails the read that meets it with `corrupt`; others are not affected.
 */

import { assertInvariant } from '../errors/assert.ts'
import type { File, MaybePromise } from '../files/file-system.ts'
import { MalformedBytes } from './byte-reader.ts'
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES } from './extent.ts'
import { EXTENT_HEADER_BYTES, type ExtentKind, extentKinds, openExtent } from './extent-codec.ts'
import { LargeValue, NodeRef, REPLACED, type Stored, type TreeNode } from './node.ts'
import type { NodeCache } from './node-cache.ts'
import { decodeBranch, decodeLeaf, findInLeaf } from './node-codec.ts'
import { FoundInLeaf, type NodeSource } from './node-source.ts'
import { corrupt, ioFailed } from './store-errors.ts'

interface OpenedExtent {
  readonly kind: ExtentKind
  readonly count: number
  readonly payload: Uint8Array
}

const NODE_KINDS: readonly ExtentKind[] = [extentKinds.leaf, extentKinds.branch]
/** Most nodes fit. */
const SCRATCH_BYTES = 8 * 1024

export class PageFile implements NodeSource {
  readonly file: File
  readonly storeId: Uint8Array
  readonly #checksum: Checksum
  readonly #cache: NodeCache
  /** Extents that are looked into once are read to here. */
  #scratch = new Uint8Array(SCRATCH_BYTES)

  constructor(file: File, storeId: Uint8Array, checksum: Checksum, cache: NodeCache) {
    this.file = file
    this.storeId = storeId
    this.#checksum = checksum
    this.#cache = cache
  }

  load(ref: NodeRef, room?: number): MaybePromise<TreeNode> {
    if (ref.node !== undefined) return ref.node
    const loaded = this.readNode(placeOf(ref.extent), room)
    if (loaded instanceof Promise) return loaded.then((node) => this.#keep(ref, node))
    return this.#keep(ref, loaded)
  }

  loadOrFind(ref: NodeRef, key: Uint8Array): MaybePromise<TreeNode | FoundInLeaf> {
    if (ref.node !== undefined) return ref.node
    const extent = placeOf(ref.extent)
    if (this.#cache.admits(ref) || extent.bytes > SCRATCH_BYTES) return this.load(ref)
    const bytes = this.#scratch.subarray(0, extent.bytes)
    const length = this.file.readAt(extent.start * UNIT_BYTES, bytes)
    if (length instanceof Promise) {
      // It belongs to this read until that is over.
      this.#scratch = new Uint8Array(SCRATCH_BYTES)
      return length.then((later) => this.#findIn(ref, extent, key, bytes, later))
    }
    return this.#findIn(ref, extent, key, bytes, length)
  }

  #findIn(
    ref: NodeRef,
    extent: Extent,
    key: Uint8Array,
    bytes: Uint8Array,
    length: number,
  ): TreeNode | FoundInLeaf {
    const opened = this.#open(extent, NODE_KINDS, bytes, length)
    if (opened.kind === extentKinds.branch) return this.#keep(ref, this.#decode(extent, opened))
    return this.#wellFormed(
      extent,
      () => new FoundInLeaf(findInLeaf(opened.payload, opened.count, key)),
    )
  }

  /** Errors are final whatever the reason, `io_failed`: the pages of a failed flush may be lost. */
  async flush(): Promise<void> {
    try {
      await this.file.flush()
    } catch (error) {
      throw ioFailed(error)
    }
  }

  get cacheBytes(): number {
    return this.#cache.bytes
  }

  makeRoom(): void {
    this.#cache.makeRoom()
  }

  /** So much is taken by nodes that are in memory alone. */
  noteUnwritten(bytes: number): void {
    this.#cache.noteUnwritten(bytes)
  }

  /** These were in memory alone until now. */
  noteFlushed(written: readonly (NodeRef | LargeValue)[]): void {
    for (const stored of written) {
      if (stored instanceof LargeValue) stored.bytes = undefined
      else if (stored.cachePlace === REPLACED) stored.node = undefined
      else if (stored.node !== undefined) this.#cache.addWritten(stored, stored.node)
    }
  }

  /**
   * Visible commits do without these. Answers how many of them stay in memory for a checkpoint, which
   * writes the state of `writingLsn` or an earlier one.
   */
  noteReplaced(replaced: readonly Stored[], writingLsn: number | undefined): number {
    let kept = 0
    for (const stored of replaced) {
      if (!(stored instanceof NodeRef)) continue
      this.#cache.noteReplaced(stored)
      if (writingLsn !== undefined && mayBeOfState(stored, writingLsn)) kept++
    }
    return kept
  }

  /** Two readers may have waited for the same node: the first one counts, so that it stays one. */
  #keep(ref: NodeRef, node: TreeNode): TreeNode {
    if (ref.node !== undefined) return ref.node
    ref.node = node
    this.#cache.add(ref, node)
    return node
  }

  loadValue(value: LargeValue): MaybePromise<Uint8Array> {
    if (value.bytes !== undefined) return value.bytes
    const opened = this.read(placeOf(value.extent), [extentKinds.value])
    return opened instanceof Promise ? opened.then(({ payload }) => payload) : opened.payload
  }

  /** A node that nobody else will know. */
  readNode(extent: Extent, room?: number): MaybePromise<TreeNode> {
    const opened = this.read(extent, NODE_KINDS, room)
    return opened instanceof Promise
      ? opened.then((later) => this.#decode(extent, later))
      : this.#decode(extent, opened)
  }

  /** The buffer of the payload has `room` more bytes behind it. */
  read(extent: Extent, kinds: readonly ExtentKind[], room: number = 0): MaybePromise<OpenedExtent> {
    const bytes = new Uint8Array(extent.bytes + room).subarray(0, extent.bytes)
    const length = this.file.readAt(extent.start * UNIT_BYTES, bytes)
    return length instanceof Promise
      ? length.then((later) => this.#open(extent, kinds, bytes, later))
      : this.#open(extent, kinds, bytes, length)
  }

  #open(
    extent: Extent,
    kinds: readonly ExtentKind[],
    bytes: Uint8Array,
    length: number,
  ): OpenedExtent {
    const opened =
      length === bytes.length && length >= EXTENT_HEADER_BYTES
        ? openExtent(bytes, extent, kinds, this.storeId, this.#checksum)
        : undefined
    if (opened === undefined) throw this.#corrupt(extent, 'an extent fails its checks')
    return { ...opened, payload: bytes.subarray(EXTENT_HEADER_BYTES) }
  }

  #decode(extent: Extent, { kind, count, payload }: OpenedExtent): TreeNode {
    return this.#wellFormed(extent, () =>
      kind === extentKinds.leaf ? decodeLeaf(payload, count) : decodeBranch(payload, count),
    )
  }

  #wellFormed<T>(extent: Extent, decode: () => T): T {
    try {
      return decode()
    } catch (error) {
      if (error instanceof MalformedBytes) throw this.#corrupt(extent, error.message)
      throw error
    }
  }

  #corrupt(extent: Extent, what: string): Error {
    return corrupt(this.file.name, extent.start * UNIT_BYTES, what)
  }
}

/** Is the node in memory, and can the state of `lsn` have it? */
export function mayBeOfState({ node }: NodeRef, lsn: number): boolean {
  return node !== undefined && (node.edit?.lsn ?? 0) <= lsn
}

function placeOf(extent: Extent | undefined): Extent {
  assertInvariant(extent !== undefined, 'what is not in memory lies in the file')
  return extent
}
