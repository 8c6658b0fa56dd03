/**
 * What everything in the files is made of, as `docs/format.md` begins. Nothing in this folder is shared
 * with the engine: the page alone has to be enough to read the files.
 */

/** What the files are refused with, the code being the engine's. */
export class FormatProblem extends Error {
  readonly code: 'corrupt' | 'not_a_database' | 'format_too_new'
  readonly file: string
  readonly offset: number

  constructor(code: FormatProblem['code'], file: string, offset: number, what: string) {
    super(`${code}: ${file} at ${offset}: ${what}`)
    this.code = code
    this.file = file
    this.offset = offset
  }
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  return crc
})

/** The checksum of the parts, one after the other. */
export function checksumOf(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) {
      // Both indices are in range.
      crc = (table[(crc ^ (part[i] as number)) & 0xff] as number) ^ (crc >>> 8)
    }
  }
  return (crc ^ 0xffffffff) >>> 0
}

/** Negative when `a` is before `b`. */
export function orderOf(a: Uint8Array, b: Uint8Array): number {
  const differs = a.findIndex((byte, i) => byte !== b[i])
  if (differs < 0) return a.length - b.length
  return differs < b.length ? (a[differs] ?? 0) - (b[differs] ?? 0) : 1
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return orderOf(a, b) === 0
}

/** Numbers at fixed offsets. */
export function fixedFields(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    u32: (offset: number): number => view.getUint32(offset, true),
    u64: (offset: number): number => Number(view.getBigUint64(offset, true)),
  }
}

/** Fields one after the other, in a part of `file` that begins at `start`. */
export class Fields {
  readonly #bytes: Uint8Array
  readonly #file: string
  readonly #start: number
  #at = 0

  constructor(bytes: Uint8Array, file: string, start: number) {
    this.#bytes = bytes
    this.#file = file
    this.#start = start
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#bytes.length) throw this.problem('a field runs past the end')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  byte(): number {
    return this.take(1)[0] ?? 0
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (value > Number.MAX_SAFE_INTEGER) throw this.problem('a number is too large')
      if (byte < 128) return value
    }
  }

  /** A length, then as many bytes. */
  string(): Uint8Array {
    return this.take(this.varint())
  }

  text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.string())
  }

  problem(what: string): FormatProblem {
    return new FormatProblem('corrupt', this.#file, this.#start + this.#at, what)
  }
}
