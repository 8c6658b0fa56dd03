/**
 * The entries of one node in one buffer, in key order: what a leaf holds, or the separators of a branch.
 *
 * An entry lies in the buffer as it does in a leaf of the file (`docs/format.md`, "Leaf"): key length,
 * tag, key, value. New entries go behind the last one, in whatever order they come; a small index beside the
 * buffer gives their order. So a node is three objects whatever it holds, a node that was read from the
 * file is searched where it lies, and writing one is a copy (`docs/decisions/0002-store-nodes.md`).
 *
 * The index has a number for each entry, its *slot* (`entry-slots.ts`): its offset, and above that its key's
 * *head*, the first bytes behind the prefix that all keys of the node share. Most of a search compares slots alone.
 *
 * Bytes of the buffer are written once: views of keys and values stay right whatever happens later. For the
 * same reason a copy shares the buffer, and the index until one of them is changed: copying a node on write
 * costs next to nothing. Only whoever wrote last may write behind that.
 */
import { copyInto } from './byte-writer.ts'
import { emptyHeap, Heap } from './entry-heap.ts'
import { entryBytes, valueBytesOf } from './entry-layout.ts'
import {
  HEAD_UNIT,
  headAfter,
  headBetween,
  offsetOf,
  SLOT_MEMORY_BYTES,
  slotOf,
  withInserted,
} from './entry-slots.ts'
import { afterVarint, varintAt, writeVarint } from './varint.ts'

const GROWTH_BYTES_MAX = 2 * 1024
/** More room than this is given back when a node has been written. */
const ROOM_BYTES_MAX = 512
/** Most nodes that were read from the file get one entry more, if any, before they are written again. */
const FIRST_GROWTH_BYTES = 512
/** A node is split when it is too large by one entry: most are smaller than this. */
const SPLIT_ROOM_BYTES = 256

const NO_VALUE = new Uint8Array(0)
/** The prefix as long as the index has no heads: they are found when they are needed. */
const NO_HEADS = -1

export class PackedEntries {
  #heap: Heap
  #data: Uint8Array
  /** The data is `buffer` from `base` on. */
  #buffer: ArrayBufferLike
  #base: number
  /** The entries, and what is left of removed ones, are `[0, used)` of the data. */
  #used: number
  /** Bytes of the entries that are there. */
  #live: number
  #count: number
  /** The slot of each entry. */
  #index: number[]
  #isIndexShared = false
  /** They lie behind each other in key order, with nothing in between: a range of them is copied as one. */
  #isInOrder = true
  /** All keys begin with the same bytes, at least so many. */
  #prefix = NO_HEADS
  /** Room that the next buffer will have. */
  #growthBytes = GROWTH_BYTES_MAX

  private constructor(
    heap: Heap,
    index: number[],
    size: { readonly used: number; readonly live: number; readonly count: number },
  ) {
    this.#heap = heap
    this.#data = heap.bytes
    this.#buffer = heap.bytes.buffer
    this.#base = heap.bytes.byteOffset
    this.#index = index
    this.#used = size.used
    this.#live = size.live
    this.#count = size.count
  }

  /** None, with room for some of `bytes` in all. */
  static withRoomFor(bytes: number): PackedEntries {
    return new PackedEntries(emptyHeap(bytes), [], { used: 0, live: 0, count: 0 })
  }

  /** Of these keys, in order, without values, with room for `bytes` in all: no less than the entries take. */
  static ofKeys(keys: readonly Uint8Array[], bytes: number): PackedEntries {
    const entries = PackedEntries.withRoomFor(bytes)
    for (const key of keys) entries.#index.push(slotOf(0, entries.#append(key, 0, NO_VALUE)))
    entries.#count = keys.length
    entries.#findPrefix()
    return entries
  }

  /**
   * Entries that lie in `data` in key order, at `offsets`, `live` bytes in all. Both are taken over, and `room` bytes
   * that the buffer has behind them, for entries to come.
   */
  static over(data: Uint8Array, offsets: number[], live: number, room: number): PackedEntries {
    const used = data.length
    const size = { used, live, count: offsets.length }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, used + room)
    const entries = new PackedEntries(new Heap(bytes, used), offsets, size)
    entries.#growthBytes = FIRST_GROWTH_BYTES
    entries.#isInOrder = live === used
    return entries
  }

  get count(): number {
    return this.#count
  }

  /** Their encoded size. */
  get bytes(): number {
    return this.#live
  }

  /** What they take in memory. */
  get memoryBytes(): number {
    return this.#data.byteLength + this.#index.length * SLOT_MEMORY_BYTES
  }

  /** A view. */
  keyAt(position: number): Uint8Array {
    const offset = this.#offset(position)
    return this.#view(this.#keyStart(offset), varintAt(this.#data, offset))
  }

  /** A view; empty where the tag is odd. */
  valueAt(position: number): Uint8Array {
    const offset = this.#offset(position)
    const tagOffset = afterVarint(this.#data, offset)
    const start = afterVarint(this.#data, tagOffset) + varintAt(this.#data, offset)
    return this.#view(start, valueBytesOf(varintAt(this.#data, tagOffset)))
  }

  /** Twice the length of the value; odd when the value lies elsewhere. */
  tagAt(position: number): number {
    return this.#tag(this.#offset(position))
  }

  entryBytesAt(position: number): number {
    const offset = this.#offset(position)
    return this.#entryEnd(offset) - offset
  }

  /** Negative when the key at `position` is below `key`, positive when above, 0 when equal. */
  compareAt(position: number, key: Uint8Array): number {
    const offset = this.#offset(position)
    const start = this.#keyStart(offset)
    const keyBytes = varintAt(this.#data, offset)
    const data = this.#data
    const length = keyBytes < key.length ? keyBytes : key.length
    for (let i = 0; i < length; i++) {
      const difference = (data[start + i] as number) - (key[i] as number)
      if (difference !== 0) return difference
    }
    return keyBytes - key.length
  }

  /** Where `key` is; when it is not there, the complement (`~`) of where it would go in. */
  search(key: Uint8Array): number {
    if (this.#prefix === NO_HEADS) this.#findPrefix()
    const index = this.#index
    const slot = slotOf(headAfter(key, this.#prefix), 0)
    const nextHead = slot + HEAD_UNIT
    let low = 0
    let high = this.#count
    // Entries that come in order go behind the last one.
    if (high > 0 && (index[high - 1] as number) < slot) low = high
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = index[middle] as number
      if (other < slot) low = middle + 1
      else if (other >= nextHead) high = middle
      else {
        const order = this.compareAt(middle, key)
        if (order === 0) return middle
        if (order < 0) low = middle + 1
        else high = middle
      }
    }
    // Heads mean nothing for a key with another prefix. Looked at last: what is found needs it not.
    const side = this.#sideOfPrefix(key)
    if (side === 0) return ~low
    return side < 0 ? ~0 : ~this.#count
  }

  /** Position of the first key that is not below `key`. */
  lowerBound(key: Uint8Array): number {
    const found = this.search(key)
    return found < 0 ? ~found : found
  }

  /** Position of the first key above `key`. In a branch: the child that `key` belongs under. */
  upperBound(key: Uint8Array): number {
    const found = this.search(key)
    return found < 0 ? ~found : found + 1
  }

  /** Puts an entry in at `position`, where its key belongs. A value with an odd tag is empty. */
  insert(position: number, key: Uint8Array, tag: number, value: Uint8Array): void {
    if (this.#prefix === NO_HEADS) this.#findPrefix()
    this.#reserve(entryBytes(key, tag, value))
    this.#isInOrder &&= position === this.#count && this.#endsAtUsed()
    const offset = this.#append(key, tag, value)
    this.#narrowPrefix(position, key)
    this.#insertSlot(position, slotOf(headAfter(key, this.#prefix), offset))
  }

  replaceValue(position: number, tag: number, value: Uint8Array): void {
    const key = this.keyAt(position)
    const replacedBytes = this.entryBytesAt(position)
    this.#reserve(entryBytes(key, tag, value))
    this.#ownIndex()
    this.#isInOrder = false
    this.#setOffset(position, this.#append(key, tag, value))
    this.#live -= replacedBytes
  }

  remove(position: number): void {
    this.#live -= this.entryBytesAt(position)
    this.#isInOrder &&= position === 0 || position === this.#count - 1
    this.#ownIndex()
    this.#index.splice(position, 1)
    this.#count--
  }

  /** Removes the entries from `position` on, and answers them, with room to become as many bytes as all were. */
  cutAt(position: number): PackedEntries {
    const none = { used: 0, live: 0, count: 0 }
    const upper = new PackedEntries(emptyHeap(this.#live + SPLIT_ROOM_BYTES), [], none)
    upper.#take(this, position, this.#count)
    this.#ownIndex()
    this.#index.length = position
    this.#count = position
    this.#live -= upper.#live
    // What is left may share more.
    this.#findPrefix()
    return upper
  }

  /** Puts the entries of `other` behind the last one. */
  append(other: PackedEntries): void {
    this.#reserve(other.#live)
    this.#take(other, 0, other.#count)
  }

  /** The same entries, to be changed; these must not be changed any more. */
  copy(): PackedEntries {
    const size = { used: this.#used, live: this.#live, count: this.#count }
    const copy = new PackedEntries(this.#heap, this.#index, size)
    copy.#isIndexShared = true
    copy.#isInOrder = this.#isInOrder
    copy.#prefix = this.#prefix
    copy.#growthBytes = this.#growthBytes
    return copy
  }

  /** Gives back room, and what removed entries left behind, when that is much. */
  trim(): void {
    if (this.#data.length <= this.#live + ROOM_BYTES_MAX) return
    this.#move(this.#live)
    this.#growthBytes = FIRST_GROWTH_BYTES
  }

  /** Writes all entries in order to `target` at `offset`; answers where they end. */
  writeTo(target: Uint8Array, offset: number): number {
    return this.#copyRange(0, this.#count, target, offset)
  }

  /** Writes one entry, without what stands elsewhere; answers where it ends. */
  writeEntryTo(position: number, target: Uint8Array, offset: number): number {
    return this.#copyRange(position, position + 1, target, offset)
  }

  #take(source: PackedEntries, from: number, to: number): void {
    const slots = source.#index.slice(from, to)
    this.#isInOrder &&= this.#endsAtUsed()
    const end = source.#copyRange(from, to, this.#data, this.#used, slots)
    this.#prefix = this.#count === 0 ? source.#prefix : NO_HEADS
    this.#index = this.#index.concat(slots)
    this.#isIndexShared = false
    this.#live += end - this.#used
    this.#used = end
    this.#heap.end = end
    this.#count += to - from
    this.#findPrefix()
  }

  /** What lies together is copied together. `slots`, those of the range, then lead to where the copies are. */
  #copyRange(
    from: number,
    to: number,
    target: Uint8Array,
    offset: number,
    slots?: number[],
  ): number {
    if (this.#isInOrder) return this.#copyRun(from, to, target, offset, slots)
    let written = offset
    let position = from
    while (position < to) {
      const start = this.#offset(position)
      let end = start
      do {
        if (slots !== undefined) {
          // In range, as everywhere here.
          slots[position - from] = (slots[position - from] as number) - start + written
        }
        end = this.#entryEnd(end)
        position++
      } while (position < to && this.#offset(position) === end)
      target.set(this.#view(start, end - start), written)
      written += end - start
    }
    return written
  }

  /** As `#copyRange`, of entries that lie in order. */
  #copyRun(from: number, to: number, target: Uint8Array, offset: number, slots?: number[]): number {
    if (from === to) return offset
    const start = this.#offset(from)
    const end = to === this.#count ? this.#offset(0) + this.#live : this.#offset(to)
    target.set(this.#view(start, end - start), offset)
    const moved = offset - start
    if (slots !== undefined && moved !== 0) {
      // In range, as everywhere here.
      for (let i = 0; i < to - from; i++) slots[i] = (slots[i] as number) + moved
    }
    return offset + end - start
  }

  /** Whether what is written next comes right behind the last of entries that lie in order. */
  #endsAtUsed(): boolean {
    return this.#count === 0 || this.#offset(0) + this.#live === this.#used
  }

  #append(key: Uint8Array, tag: number, value: Uint8Array): number {
    const offset = this.#used
    const data = this.#data
    let end = writeVarint(data, offset, key.length)
    end = writeVarint(data, end, tag)
    copyInto(data, end, key)
    end += key.length
    copyInto(data, end, value)
    end += value.length
    this.#live += end - offset
    this.#used = end
    this.#heap.end = end
    return offset
  }

  /** Has room for `bytes` more bytes. */
  #reserve(bytes: number): void {
    const isLast = this.#heap.end === this.#used
    if (isLast && this.#used + bytes <= this.#data.length) return
    const needed = this.#live + bytes
    this.#move(needed + Math.min(needed, this.#growthBytes))
    this.#growthBytes = Math.min(4 * this.#growthBytes, GROWTH_BYTES_MAX)
  }

  /** To a buffer of `bytes` bytes, without what removed entries left behind. */
  #move(bytes: number): void {
    const heap = new Heap(new Uint8Array(bytes), this.#live)
    if (this.#used === this.#live) heap.bytes.set(this.#view(0, this.#used))
    else {
      // A copy may share the index, and goes on with its own buffer.
      this.#index = this.#index.slice()
      this.#isIndexShared = false
      this.#copyRange(0, this.#count, heap.bytes, 0, this.#index)
      this.#isInOrder = true
    }
    this.#heap = heap
    this.#data = heap.bytes
    this.#buffer = heap.bytes.buffer
    this.#base = 0
    this.#used = this.#live
  }

  #ownIndex(): void {
    if (!this.#isIndexShared) return
    this.#isIndexShared = false
    this.#index = this.#index.slice()
  }

  #insertSlot(position: number, slot: number): void {
    this.#count++
    if (this.#isIndexShared) {
      this.#isIndexShared = false
      this.#index = withInserted(this.#index, position, slot)
    } else if (position === this.#index.length) {
      this.#index.push(slot)
    } else {
      this.#index.splice(position, 0, slot)
    }
  }

  #setOffset(position: number, offset: number): void {
    // In range by the callers.
    this.#index[position] = (this.#index[position] as number) - this.#offset(position) + offset
  }

  /** `key` is about to go in at `position`: between two keys it shares what they share. */
  #narrowPrefix(position: number, key: Uint8Array): void {
    if (this.#count === 0) {
      this.#prefix = key.length
      return
    }
    if (position > 0 && position < this.#count) return
    const shared = this.#sharedWithFirst(key, this.#prefix)
    if (shared !== this.#prefix) this.#findHeads(shared)
  }

  /** What the first and the last key share, all between them share. */
  #findPrefix(): void {
    if (this.#count === 0) return
    const last = this.keyAt(this.#count - 1)
    const prefix = this.#sharedWithFirst(last, last.length)
    if (prefix !== this.#prefix) this.#findHeads(prefix)
  }

  #findHeads(prefix: number): void {
    this.#prefix = prefix
    this.#ownIndex()
    for (let i = 0; i < this.#count; i++) {
      const offset = this.#offset(i)
      const start = this.#keyStart(offset)
      const end = start + varintAt(this.#data, offset)
      this.#index[i] = slotOf(headBetween(this.#data, start + prefix, end), offset)
    }
  }

  /** How many of its first bytes, up to `max`, `key` shares with the first key. */
  #sharedWithFirst(key: Uint8Array, max: number): number {
    const offset = this.#offset(0)
    const start = this.#keyStart(offset)
    const length = Math.min(key.length, varintAt(this.#data, offset), max)
    let shared = 0
    while (shared < length && this.#data[start + shared] === key[shared]) shared++
    return shared
  }

  /** Negative, positive: `key` is below, above all keys that begin with the prefix. */
  #sideOfPrefix(key: Uint8Array): number {
    const prefix = this.#prefix
    if (prefix === 0 || this.#count === 0) return 0
    const start = this.#keyStart(this.#offset(0))
    const data = this.#data
    for (let i = 0; i < prefix; i++) {
      if (i === key.length) return -1
      const difference = (key[i] as number) - (data[start + i] as number)
      if (difference !== 0) return difference
    }
    return 0
  }

  /** Twice as fast as `subarray`. */
  #view(start: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer, this.#base + start, length)
  }

  #offset(position: number): number {
    // In range by the callers.
    return offsetOf(this.#index[position] as number)
  }

  #tag(offset: number): number {
    return varintAt(this.#data, afterVarint(this.#data, offset))
  }

  #keyStart(offset: number): number {
    const data = this.#data
    return afterVarint(data, afterVarint(data, offset))
  }

  #entryEnd(offset: number): number {
    return this.#keyStart(offset) + varintAt(this.#data, offset) + valueBytesOf(this.#tag(offset))
  }
}
