/** Leaves and branches as bytes. Specified in `docs/format.md`, "Leaf" and "Branch". */
import { assertInvariant } from '../errors/assert.ts'
import { ByteReader, MalformedBytes } from './byte-reader.ts'
import { copyInto } from './byte-writer.ts'
import type { Extent } from './extent.ts'
import { EXTENT_HEADER_BYTES } from './extent-codec.ts'
import {
  at,
  Branch,
  branchBytes,
  LargeValue,
  Leaf,
  type LeafValue,
  leafBytes,
  NodeRef,
  type TreeNode,
} from './node.ts'
import { headOf } from './node-search.ts'

/** Writes varints and byte strings into a buffer that is known to be large enough. */
class NodeWriter {
  readonly bytes: Uint8Array
  offset: number = EXTENT_HEADER_BYTES

  constructor(payloadBytesMax: number) {
    this.bytes = new Uint8Array(EXTENT_HEADER_BYTES + payloadBytesMax)
  }

  varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.offset++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.offset++] = rest
  }

  string(value: Uint8Array): void {
    copyInto(this.bytes, this.offset, value)
    this.offset += value.length
  }

  extent(extent: Extent | undefined): void {
    assertInvariant(extent !== undefined, 'what a node refers to is written before it')
    this.varint(extent.start)
    this.varint(extent.bytes)
  }
}

/** The extent of a node, with room for its header. */
export function encodeNode(node: TreeNode): Uint8Array {
  const writer = new NodeWriter(node.bytes)
  if (node.kind === 'leaf') encodeLeaf(node, writer)
  else encodeBranch(node, writer)
  assertInvariant(writer.offset <= writer.bytes.length, 'a node is no larger than its estimate')
  return writer.bytes.subarray(0, writer.offset)
}

function encodeLeaf(leaf: Leaf, writer: NodeWriter): void {
  for (let i = 0; i < leaf.keys.length; i++) {
    const key = at(leaf.keys, i)
    const value = at(leaf.values, i)
    writer.varint(key.length)
    if (value instanceof LargeValue) {
      writer.varint(1)
      writer.string(key)
      writer.extent(value.extent)
    } else {
      writer.varint(value.length * 2)
      writer.string(key)
      writer.string(value)
    }
  }
}

function encodeBranch(branch: Branch, writer: NodeWriter): void {
  for (let i = 0; i < branch.children.length; i++) {
    if (i > 0) {
      const key = at(branch.keys, i - 1)
      writer.varint(key.length)
      writer.string(key)
    }
    writer.extent(at(branch.children, i).extent)
  }
}

/** Keys and values are views of `payload`. Throws `MalformedBytes`. */
export function decodeLeaf(payload: Uint8Array, count: number): Leaf {
  const reader = new ByteReader(payload)
  const keys: Uint8Array[] = []
  const values: LeafValue[] = []
  for (let i = 0; i < count; i++) {
    const keyLength = reader.varint()
    const tag = reader.varint()
    keys.push(reader.bytes(keyLength))
    if (tag % 2 === 0) values.push(reader.bytes(tag / 2))
    else values.push(decodeLargeValue(reader))
  }
  return new Leaf(undefined, keys, keys.map(headOf), values, leafBytes(keys, values))
}

function decodeLargeValue(reader: ByteReader): LargeValue {
  const extent = { start: reader.varint(), bytes: reader.varint() }
  if (extent.bytes < EXTENT_HEADER_BYTES) throw new MalformedBytes('an extent has no header')
  return new LargeValue(extent.bytes - EXTENT_HEADER_BYTES, undefined, extent)
}

export function decodeBranch(payload: Uint8Array, count: number): Branch {
  const reader = new ByteReader(payload)
  const keys: Uint8Array[] = []
  const children: NodeRef[] = []
  for (let i = 0; i < count; i++) {
    if (i > 0) keys.push(reader.bytes(reader.varint()))
    const start = reader.varint()
    children.push(new NodeRef(undefined, { start, bytes: reader.varint() }))
  }
  if (children.length === 0) throw new MalformedBytes('a branch has no children')
  return new Branch(undefined, keys, keys.map(headOf), children, branchBytes(keys))
}
