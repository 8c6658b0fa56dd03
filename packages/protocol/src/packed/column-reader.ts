/** Reads the items of one column of a packed page; a failure names the column, the item and its place in the message. */
import type { Codec } from '../codec.ts'
import type { InvalidMessageReason, PathSegment } from '../invalid-message.ts'
import { MessageReader } from '../message-reader.ts'

const NO_BYTES = new Uint8Array(0)

export class ColumnReader extends MessageReader {
  readonly #bytes: Uint8Array
  #items = 0
  #itemStart = 0

  /** `outer` has read the map that holds the column, and stands behind it. */
  constructor(name: readonly PathSegment[], bytes: Uint8Array | undefined, outer: MessageReader) {
    const start = bytes === undefined ? outer.position : outer.offsetOf(bytes)
    super(bytes ?? NO_BYTES, outer.code, start)
    this.#bytes = bytes ?? NO_BYTES
    for (const segment of outer.path) this.enter(segment)
    for (const segment of name) this.enter(segment)
  }

  next<T>(codec: Codec<T>): T {
    this.#begin()
    try {
      return codec.read(this)
    } catch {
      return this.#readAgain((reader) => codec.read(reader))
    }
  }

  /** The next `length` bytes as text. */
  nextText(length: number): string {
    this.#begin()
    try {
      return this.readBareText(length)
    } catch {
      return this.#readAgain((reader) => reader.readBareText(length))
    }
  }

  /** All bytes of the column. */
  get columnBytes(): Uint8Array {
    return this.#bytes
  }

  /** Where what was read last begins in them; it ends at `position`. */
  get lastStart(): number {
    return this.#itemStart
  }

  /** The item that was read last is at fault. */
  refuse(reason: InvalidMessageReason): never {
    this.enter(this.#items - 1)
    this.fail(reason, this.#itemStart)
  }

  /** Fails if an item is left. */
  assertEnd(): void {
    if (!this.atEnd) this.fail('trailing_bytes', this.position)
  }

  #begin(): void {
    this.#items++
    this.#itemStart = this.position
  }

  /** What failed, as the item that it is: told to a reader before each item, that would be most of the work. */
  #readAgain<T>(read: (reader: MessageReader) => T): T {
    this.rewind(this.#itemStart)
    this.enter(this.#items - 1)
    try {
      return read(this)
    } catch (error) {
      throw this.withPlace(error)
    }
  }
}
