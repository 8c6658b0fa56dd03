/** A CBOR sequence (RFC 8742): entities one behind the other, each exactly as it is stored. */
import { ByteWindow } from './byte-window.ts'
import { type InputPosition, type InputRecord, invalidInput } from './input-record.ts'

/** The records of a CBOR sequence. Errors: `invalid_input`, and those of the input. */
export async function* readCborSequence(
  chunks: AsyncIterable<Uint8Array>,
  start: InputPosition,
): AsyncGenerator<InputRecord, void, undefined> {
  const window = new ByteWindow(chunks)
  let { records } = start
  try {
    await window.skipTo(start.bytes)
    while (window.bytes.length > 0 || (await window.fill())) {
      const size = await findItemEnd(window)
      const bytes = new Uint8Array(window.bytes.subarray(0, size))
      const { offset } = window
      window.use(size)
      records++
      yield {
        place: { offset },
        end: { bytes: offset + size, lines: 0, records },
        encode: () => bytes,
      }
    }
  } finally {
    await window.close()
  }
}

/** The size of the item that the window begins with. */
async function findItemEnd(window: ByteWindow): Promise<number> {
  const item = new ItemEnd()
  while (!item.find(window.bytes)) {
    if (item.isMalformed) {
      const offset = window.offset + item.at
      throw invalidInput({ offset }, 'this is not CBOR as EntiDB stores it')
    }
    if (await window.fill()) continue
    throw invalidInput({ offset: window.offset }, 'the file ends inside this entity')
  }
  return item.at
}

const [BYTES, TEXT, ARRAY, MAP, TAG] = [2, 3, 4, 5, 6]

/** Steps from head to head, which say how many bytes and items are still to come. */
class ItemEnd {
  at = 0
  isMalformed = false
  #itemsLeft = 1

  /** False when the end is not in these bytes; then more of the same are to be shown. */
  find(bytes: Uint8Array): boolean {
    while (this.#itemsLeft > 0) {
      const initial = bytes[this.at]
      if (initial === undefined) return false
      const info = initial & 0x1f
      this.isMalformed = info > 27
      const argumentStart = this.at + 1
      const argumentEnd = argumentStart + (info < 24 ? 0 : 1 << (info - 24))
      if (this.isMalformed || argumentEnd > bytes.length) return false
      const argument = info < 24 ? info : bigEndian(bytes, argumentStart, argumentEnd)
      this.at = argumentEnd
      this.#pass(initial >>> 5, argument)
    }
    return this.at <= bytes.length
  }

  #pass(major: number, argument: number): void {
    this.#itemsLeft--
    if (major === BYTES || major === TEXT) this.at += argument
    else if (major === ARRAY) this.#itemsLeft += argument
    else if (major === MAP) this.#itemsLeft += argument * 2
    else if (major === TAG) this.#itemsLeft++
  }
}

function bigEndian(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 256 + (bytes[at] ?? 0)
  return value
}
