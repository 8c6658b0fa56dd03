/**
 * CBOR written by hand: messages as the protocol wants them, and every way to get them wrong. An encoder that
 * only writes what is right cannot ask a server whether it refuses what is not.
 */
import { CborWriter } from '@entidb/core/cbor'

/** What `encodeItem` writes: maps of this kind with their keys in order, everything in its shortest form. */
export type Item =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Raw
  | Pairs
  | readonly Item[]
  | ItemMap

/** Keys that are undefined are left out. */
export interface ItemMap {
  readonly [key: string]: Item | undefined
}

/** Bytes that are written as they are. */
export class Raw {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** A map with its pairs in this order, whatever the keys are and however often they come. */
export class Pairs {
  readonly pairs: readonly (readonly [Item, Item])[]

  constructor(pairs: readonly (readonly [Item, Item])[]) {
    this.pairs = pairs
  }
}

/** `raw('f9 3c00')`: an item that is given in hex. */
export function raw(hex: string): Raw {
  return new Raw(bytesOf(hex))
}

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** The bytes one after the other. */
export function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces))
}

const writer = new CborWriter()

export function encodeItem(item: Item): Uint8Array {
  writer.reset()
  writeItem(item)
  return writer.take()
}

/** The head of an item of a major type whose argument takes eight bytes, however small or large it is. */
export function longHead(major: number, argument: bigint): Uint8Array {
  const bytes = new Uint8Array(9)
  bytes[0] = (major << 5) | 27
  new DataView(bytes.buffer).setBigUint64(1, argument)
  return bytes
}

function writeItem(item: Item): void {
  if (item === null) writer.writeNull()
  else if (typeof item === 'boolean') writer.writeBoolean(item)
  else if (typeof item === 'string') writer.writeText(item)
  else if (typeof item === 'number') writeNumber(item)
  else if (item instanceof Uint8Array) writer.writeBytes(item)
  else if (item instanceof Raw) writer.writeRaw(item.bytes)
  else if (item instanceof Pairs) writePairs(item.pairs)
  else if (isList(item)) writeList(item)
  else writePairs(sortedPairs(item))
}

function writeNumber(value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writer.writeInt(value)
  else writer.writeFloat(value)
}

function writeList(items: readonly Item[]): void {
  writer.writeArrayHeader(items.length)
  for (const item of items) writeItem(item)
}

function writePairs(pairs: readonly (readonly [Item, Item])[]): void {
  writer.writeMapHeader(pairs.length)
  for (const [key, value] of pairs) {
    writeItem(key)
    writeItem(value)
  }
}

/** In deterministic order, which is bytewise as encoded: shorter keys come first. */
export function sortedPairs(map: ItemMap): (readonly [Item, Item])[] {
  return Object.entries(map)
    .flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
    .sort(([a], [b]) => {
      const [left, right] = [Buffer.from(a), Buffer.from(b)]
      return left.length - right.length || Buffer.compare(left, right)
    })
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(item: readonly Item[] | ItemMap): item is readonly Item[] {
  return Array.isArray(item)
}
