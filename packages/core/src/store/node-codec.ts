/** Leaves and branches as bytes. Specified in `docs/format.md`, "Leaf" and "Branch". */
import { assertInvariant } from '../errors/assert.ts'
import { ByteReader, MalformedBytes } from './byte-reader.ts'
import { allocateBytes } from './byte-slab.ts'
import { copyInto } from './byte-writer.ts'
import type { Extent } from './extent.ts'
import { EXTENT_HEADER_BYTES } from './extent-codec.ts'
import {
  at,
  Branch,
  LARGE_TAG,
  LargeValue,
  Leaf,
  type LeafValue,
  NodeRef,
  type TreeNode,
} from './node.ts'
import { PackedEntries } from './packed-entries.ts'
import { writeVarint } from './varint.ts'

/** The extent of a node, with room for its header; in `scratch` where that is large enough. */
export function encodeNode(node: TreeNode, scratch: Uint8Array): Uint8Array {
  const bytesMax = EXTENT_HEADER_BYTES + node.bytes
  const bytes = bytesMax <= scratch.length ? scratch : new Uint8Array(bytesMax)
  const end = node.kind === 'leaf' ? encodeLeaf(node, bytes) : encodeBranch(node, bytes)
  assertInvariant(end <= bytes.length, 'a node is no larger than its estimate')
  return bytes.subarray(0, end)
}

function encodeLeaf({ entries, large, size }: Leaf, bytes: Uint8Array): number {
  if (large === undefined) return entries.writeTo(bytes, EXTENT_HEADER_BYTES)
  let offset = EXTENT_HEADER_BYTES
  for (let i = 0; i < size; i++) {
    offset = entries.writeEntryTo(i, bytes, offset)
    const value = large[i]
    if (value !== undefined) offset = writePlace(bytes, offset, value.extent)
  }
  return offset
}

function encodeBranch({ separators, children, size }: Branch, bytes: Uint8Array): number {
  let offset = EXTENT_HEADER_BYTES
  for (let i = 0; i < size; i++) {
    if (i > 0) {
      const key = separators.keyAt(i - 1)
      offset = writeVarint(bytes, offset, key.length)
      copyInto(bytes, offset, key)
      offset += key.length
    }
    offset = writePlace(bytes, offset, at(children, i).extent)
  }
  return offset
}

function writePlace(bytes: Uint8Array, offset: number, extent: Extent | undefined): number {
  assertInvariant(extent !== undefined, 'what a node refers to is written before it')
  return writeVarint(bytes, writeVarint(bytes, offset, extent.start), extent.bytes)
}

/**
 * More than most leaves have entries. A slice, not `new Array`: V8 learns from leaves that stay in memory to put such
 * arrays among the old objects at once, and those of all the leaves that a scan only passes would fill that part.
 */
const SOME_OFFSETS: readonly number[] = new Array(1024).fill(0)

/** Takes `payload` over, and `room` bytes that its buffer has behind it. Throws `MalformedBytes`. */
export function decodeLeaf(payload: Uint8Array, count: number, room: number): Leaf {
  if (count > payload.length) throw new MalformedBytes('a leaf has fewer entries than it says')
  const reader = new ByteReader(payload)
  const offsets = SOME_OFFSETS.slice(0, count)
  let large: (LargeValue | undefined)[] | undefined
  let live = 0
  for (let i = 0; i < count; i++) {
    const offset = reader.offset
    offsets[i] = offset
    const keyBytes = reader.varint()
    const tag = reader.varint()
    reader.skip(tag % 2 === 0 ? keyBytes + tag / 2 : keyBytes)
    live += reader.offset - offset
    if (tag % 2 === 0) continue
    if (tag !== LARGE_TAG) throw new MalformedBytes(`an entry has the tag ${tag}`)
    large ??= new Array(count).fill(undefined)
    large[i] = decodeLargeValue(reader)
  }
  return new Leaf(undefined, PackedEntries.over(payload, offsets, live, room), large)
}

/** What a leaf has under `key`, a small value as a copy, without making the leaf a node. Throws `MalformedBytes`. */
export function findInLeaf(
  payload: Uint8Array,
  count: number,
  key: Uint8Array,
): LeafValue | undefined {
  const reader = new ByteReader(payload)
  for (let i = 0; i < count; i++) {
    const keyBytes = reader.varint()
    const tag = reader.varint()
    const order = compareBytesAt(payload, reader.offset, keyBytes, key)
    if (order > 0) return undefined
    const isLarge = tag % 2 === 1
    reader.skip(isLarge ? keyBytes : keyBytes + tag / 2)
    if (order === 0 && !isLarge) return copyOf(payload, reader.offset - tag / 2, tag / 2)
    if (!isLarge) continue
    if (tag !== LARGE_TAG) throw new MalformedBytes(`an entry has the tag ${tag}`)
    const value = decodeLargeValue(reader)
    if (order === 0) return value
  }
  return undefined
}

/** Negative when the `length` bytes from `start` on are below `key`, positive when above, 0 when equal. */
function compareBytesAt(bytes: Uint8Array, start: number, length: number, key: Uint8Array): number {
  const shared = length < key.length ? length : key.length
  for (let i = 0; i < shared; i++) {
    const difference = (bytes[start + i] as number) - (key[i] as number)
    if (difference !== 0) return difference
  }
  return length - key.length
}

function copyOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = allocateBytes(length)
  for (let i = 0; i < length; i++) copy[i] = bytes[start + i] as number
  return copy
}

function decodeLargeValue(reader: ByteReader): LargeValue {
  const extent = { start: reader.varint(), bytes: reader.varint() }
  if (extent.bytes < EXTENT_HEADER_BYTES) throw new MalformedBytes('an extent has no header')
  return new LargeValue(extent.bytes - EXTENT_HEADER_BYTES, undefined, extent)
}

/** Throws `MalformedBytes`. */
export function decodeBranch(payload: Uint8Array, count: number): Branch {
  const reader = new ByteReader(payload)
  const separators: Uint8Array[] = []
  const children: NodeRef[] = []
  for (let i = 0; i < count; i++) {
    if (i > 0) separators.push(reader.bytes(reader.varint()))
    const start = reader.varint()
    children.push(new NodeRef(undefined, { start, bytes: reader.varint() }))
  }
  if (children.length === 0) throw new MalformedBytes('a branch has no children')
  // An entry has a tag where the branch has the place of a child, which is longer.
  return new Branch(undefined, PackedEntries.ofKeys(separators, payload.length), children)
}
