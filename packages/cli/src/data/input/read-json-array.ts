/**
 * JSON: one array of entities. Only the ends of the entities are looked for here, each is then parsed by itself:
 * it is the records' positions that an import needs to go on from, which parsers do not tell, and memory holds
 * one entity and not the array.
 */
import { ByteWindow } from './byte-window.ts'
import { type InputPosition, type InputRecord, invalidInput } from './input-record.ts'
import { byteOrderMark, countLines, textRecord } from './text-record.ts'

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d])

/** The records of one array of JSON. Errors: `invalid_input`, and those of the input. */
export async function* readJsonArray(
  chunks: AsyncIterable<Uint8Array>,
  start: InputPosition,
): AsyncGenerator<InputRecord, void, undefined> {
  const reader = new ArrayReader(new ByteWindow(chunks), start)
  try {
    await reader.open()
    for (let record = await reader.next(); record !== undefined; record = await reader.next()) {
      yield record
    }
  } finally {
    await reader.close()
  }
}

class ArrayReader {
  readonly #window: ByteWindow
  readonly #start: InputPosition
  #lines: number
  #records: number

  constructor(window: ByteWindow, start: InputPosition) {
    this.#window = window
    this.#start = start
    this.#lines = start.lines
    this.#records = start.records
  }

  /** Up to the first entity, or behind the one that was the last to be read. */
  async open(): Promise<void> {
    await this.#window.skipTo(this.#start.bytes)
    if (this.#start.records > 0) return
    if (this.#window.bytes.length < 3) await this.#window.fill()
    this.#use(byteOrderMark(this.#window.bytes))
    if ((await this.#peek()) !== OPEN_ARRAY) throw this.#invalid('JSON is one array of entities: [')
    this.#use(1)
  }

  /** Undefined behind the last one. */
  async next(): Promise<InputRecord | undefined> {
    const byte = await this.#peek()
    if (byte === CLOSE_ARRAY) return this.#finish()
    if (this.#records > 0) {
      if (byte !== COMMA) throw this.#invalid('between two entities there is a comma')
      this.#use(1)
    }
    if ((await this.#peek()) !== OPEN_OBJECT) throw this.#invalid('an entity is an object: {')
    const size = await this.#findEnd()
    const { bytes, offset } = this.#window
    const entity = bytes.subarray(0, size)
    const place = { offset, line: this.#lines + 1 }
    const end = {
      bytes: offset + size,
      lines: this.#lines + countLines(entity),
      records: this.#records + 1,
    }
    const record = textRecord(entity, place, end)
    this.#use(size)
    this.#records = end.records
    return record
  }

  close(): Promise<void> {
    return this.#window.close()
  }

  async #finish(): Promise<undefined> {
    this.#use(1)
    if ((await this.#peek()) !== undefined) throw this.#invalid('something follows the array')
    return undefined
  }

  /** The next byte that is no space; undefined at the end. */
  async #peek(): Promise<number | undefined> {
    for (;;) {
      const { bytes } = this.#window
      let at = 0
      while (at < bytes.length && SPACES.has(bytes[at] ?? 0)) at++
      this.#use(at)
      if (at < bytes.length) return bytes[at]
      if (!(await this.#window.fill())) return undefined
    }
  }

  /** The size of the object that the window begins with. */
  async #findEnd(): Promise<number> {
    let depth = 0
    let isText = false
    for (let at = 0; ; ) {
      const { bytes } = this.#window
      for (; at < bytes.length; at++) {
        const byte = bytes[at]
        if (isText) {
          if (byte === BACKSLASH) at++
          else if (byte === QUOTE) isText = false
        } else if (byte === QUOTE) isText = true
        else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
        else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
          depth--
          if (depth === 0) return at + 1
        }
      }
      if (!(await this.#window.fill())) throw this.#invalid('the file ends inside this entity')
    }
  }

  #use(size: number): void {
    this.#lines += countLines(this.#window.bytes.subarray(0, size))
    this.#window.use(size)
  }

  #invalid(what: string): Error {
    return invalidInput({ offset: this.#window.offset, line: this.#lines + 1 }, what)
  }
}
