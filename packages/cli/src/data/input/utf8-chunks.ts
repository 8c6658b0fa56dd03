/** Chunks of text that are UTF-8, for parsers that would put U+FFFD in the place of what is not. */
import { invalidInput } from './input-record.ts'

/** Hands the chunks on. Error: `invalid_input` with the offset of the first byte that is not UTF-8. */
export async function* utf8Chunks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  /** Bytes of a character whose rest is in the next chunk. */
  let begun = new Uint8Array()
  let offset = 0
  for await (const chunk of chunks) {
    const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
    const begunAt = offset - begun.length
    if (!isUtf8Start(bytes)) throw notUtf8(begunAt + validLength(bytes))
    begun = bytes.slice(wholeLength(bytes))
    offset += chunk.length
    yield chunk
  }
  if (begun.length > 0) throw notUtf8(offset - begun.length)
}

function notUtf8(offset: number): Error {
  return invalidInput({ offset }, 'the text is not UTF-8')
}

/** Is it UTF-8 that may break off inside a character? */
function isUtf8Start(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** Of bytes that are no UTF-8: how many are before the character that is none. */
function validLength(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length]
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1
    if (isUtf8Start(bytes.subarray(0, middle))) good = middle
    else bad = middle
  }
  return wholeLength(bytes.subarray(0, good))
}

/** Without the character that breaks off at the end of valid UTF-8: its first byte is one of the last three. */
function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return length > back ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}
