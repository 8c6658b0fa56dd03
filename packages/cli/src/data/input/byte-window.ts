/** The bytes of a stream that are read and not yet used, in one piece. */
import { invalidInput, RECORD_BYTES_MAX } from './input-record.ts'

const ROOM_BYTES = 64 * 1024

export class ByteWindow {
  readonly #chunks: AsyncIterator<Uint8Array>
  #buffer = Buffer.alloc(ROOM_BYTES)
  #start = 0
  #end = 0
  #offset = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Those there are. Valid until the next `fill`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  /** Of the first of them, in the stream. */
  get offset(): number {
    return this.#offset
  }

  /** Reads on. False at the end of the stream. Error: `invalid_input` when too many wait to be used. */
  async fill(): Promise<boolean> {
    const { done, value } = await this.#chunks.next()
    if (done === true) return false
    if (this.#end - this.#start > RECORD_BYTES_MAX) {
      throw invalidInput({ offset: this.#offset }, 'the record is longer than any entity can be')
    }
    this.#makeRoom(value.length)
    this.#buffer.set(value, this.#end)
    this.#end += value.length
    return true
  }

  /** The first `size` bytes are used. */
  use(size: number): void {
    this.#start += size
    this.#offset += size
  }

  /** Passes over what comes before `offset`; at the end of the stream it stops short of it. */
  async skipTo(offset: number): Promise<void> {
    for (;;) {
      this.use(Math.min(offset - this.#offset, this.#end - this.#start))
      if (this.#offset === offset || !(await this.fill())) return
    }
  }

  /** Ends the stream before its end. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  #makeRoom(size: number): void {
    const used = this.bytes
    if (this.#end + size <= this.#buffer.length) return
    // Twice as much as is needed, so that a long record is not copied for each of its chunks.
    const needed = used.length + size
    const target = needed * 2 <= this.#buffer.length ? this.#buffer : Buffer.alloc(needed * 2)
    target.set(used)
    this.#buffer = target
    this.#start = 0
    this.#end = used.length
  }
}
