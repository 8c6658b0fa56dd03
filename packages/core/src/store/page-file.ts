/**
 * Reads extents of the data file; every byte passes its checksum before it is used. An extent that
 * is damaged fails the read that meets it with `corrupt`; others are not affected.
 */

import { assertInvariant } from '../errors/assert.ts'
import type { File, MaybePromise } from '../files/file-system.ts'
import { MalformedBytes } from './byte-reader.ts'
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES } from './extent.ts'
import {
  EXTENT_HEADER_BYTES,
  type ExtentKind,
  extentKinds,
  type OpenedExtent,
  openExtent,
} from './extent-codec.ts'
import { LargeValue, NodeRef, REPLACED, type Stored, type TreeNode } from './node.ts'
import type { NodeCache } from './node-cache.ts'
import { decodeBranch, decodeLeaf, findInLeaf } from './node-codec.ts'
import { FoundInLeaf, type NodeSource } from './node-source.ts'
import { type ReadAhead, runFrom, type Upcoming } from './read-ahead.ts'
import { corrupt, ioFailed } from './store-errors.ts'

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
      return length.then((later) => this.#findIn(ref, extent, key, bytes.subarray(0, later)))
    }
    return this.#findIn(ref, extent, key, bytes.subarray(0, length))
  }

  #findIn(
    ref: NodeRef,
    extent: Extent,
    key: Uint8Array,
    bytes: Uint8Array,
  ): TreeNode | FoundInLeaf {
    const opened = this.#open(extent, NODE_KINDS, bytes)
    if (opened.kind === extentKinds.branch) return this.#keep(ref, this.#decode(extent, opened))
    return this.#wellFormed(
      extent,
      () => new FoundInLeaf(findInLeaf(opened.payload, opened.count, key)),
    )
  }

  loadForScan(ref: NodeRef, ahead: ReadAhead, upcoming: () => Upcoming): MaybePromise<TreeNode> {
    if (ref.node !== undefined) return ref.node
    const extent = placeOf(ref.extent)
    const isKept = this.#cache.admits(ref)
    const bytes = ahead.find(extent) ?? this.#readAhead(extent, ahead, upcoming)
    return bytes instanceof Promise
      ? bytes.then((later) => this.#passing(ref, extent, later, isKept))
      : this.#passing(ref, extent, bytes, isKept)
  }

  #readAhead(extent: Extent, ahead: ReadAhead, upcoming: () => Upcoming): MaybePromise<Uint8Array> {
    const run = runFrom(extent, upcoming())
    const readAlone = (): MaybePromise<Uint8Array> => this.#readBytes(extent)
    if (run.extents.length === 1) return readAlone()
    const keep = (bytes: Uint8Array): Uint8Array => {
      ahead.keep(run, bytes)
      return ahead.find(extent) ?? bytes
    }
    try {
      const bytes = this.#readBytes(run.stretch)
      return bytes instanceof Promise ? bytes.then(keep, readAlone) : keep(bytes)
    } catch {
      // What fails may be the read of another extent.
      return readAlone()
    }
  }

  /** The bytes of `extent` as the file has them: too few where it ends. Their buffer has `room` more behind them. */
  #readBytes(extent: Extent, room = 0): MaybePromise<Uint8Array> {
    const bytes = new Uint8Array(extent.bytes + room).subarray(0, extent.bytes)
    const length = this.file.readAt(extent.start * UNIT_BYTES, bytes)
    return length instanceof Promise
      ? length.then((later) => bytes.subarray(0, later))
      : bytes.subarray(0, length)
  }

  #passing(ref: NodeRef, extent: Extent, bytes: Uint8Array, isKept: boolean): TreeNode {
    if (ref.node !== undefined) return ref.node
    const opened = this.#open(extent, NODE_KINDS, bytes)
    if (opened.kind === extentKinds.branch) return this.#keep(ref, this.#decode(extent, opened))
    if (!isKept) return this.#decode(extent, opened)
    // What stays does not hold on to what was read beside it.
    const isAlone = bytes.length === bytes.buffer.byteLength
    const own = isAlone ? opened : { ...opened, payload: opened.payload.slice() }
    return this.#keep(ref, this.#decode(extent, own))
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
      ? opened.then((later) => this.#decode(extent, later, room))
      : this.#decode(extent, opened, room)
  }

  /** The buffer of the payload has `room` more bytes behind it. */
  read(extent: Extent, kinds: readonly ExtentKind[], room?: number): MaybePromise<OpenedExtent> {
    const bytes = this.#readBytes(extent, room)
    return bytes instanceof Promise
      ? bytes.then((later) => this.#open(extent, kinds, later))
      : this.#open(extent, kinds, bytes)
  }

  #open(extent: Extent, kinds: readonly ExtentKind[], bytes: Uint8Array): OpenedExtent {
    const { length } = bytes
    const opened =
      length === extent.bytes && length >= EXTENT_HEADER_BYTES
        ? openExtent(bytes, extent, kinds, this.storeId, this.#checksum)
        : undefined
    if (opened === undefined) throw this.#corrupt(extent, 'an extent fails its checks')
    return opened
  }

  #decode(extent: Extent, { kind, count, payload }: OpenedExtent, room = 0): TreeNode {
    return this.#wellFormed(extent, () =>
      kind === extentKinds.leaf ? decodeLeaf(payload, count, room) : decodeBranch(payload, count),
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
