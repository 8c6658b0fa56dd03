/**
 * Text to UTF-8 and back, strictly: a lone surrogate is never written and invalid UTF-8 never read.
 * Short ASCII, the common case, is handled here; the rest goes to the platform's encoder and decoder.
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const LONE_SURROGATE = /\p{Surrogate}/u

/** Engines build longer strings from parts as a tree of parts, which costs more than it saves. */
const LOOP_BYTES_MAX = 12
/** Longer texts gain nothing from looking for ASCII first. */
const LATIN1_BYTES_MAX = 256

/** For longer text it is worth counting what it needs instead of reserving the most it could. */
const ESTIMATED_UNITS_MAX = 4096

/** Decodes bytes as latin1, which equals UTF-8 for ASCII. */
export type Latin1Decoder = (this: Uint8Array, start: number, end: number) => string

/** Node's, Deno's and Bun's own decoder, which starts faster than TextDecoder; undefined elsewhere. */
export function hostLatin1Decoder(): Latin1Decoder | undefined {
  // Not typed here: this module must load where there is no Buffer.
  const host = globalThis as { Buffer?: { prototype?: { latin1Slice?: Latin1Decoder } } }
  const decode = host.Buffer?.prototype?.latin1Slice
  return typeof decode === 'function' ? decode : undefined
}

const hostLatin1 = hostLatin1Decoder()

export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text)
}

/** Bytes that well-formed `text` can need at most. */
export function utf8BytesMax(text: string): number {
  return text.length <= ESTIMATED_UNITS_MAX ? text.length * 3 : utf8BytesOf(text)
}

/** Writes ASCII `text` at `offset`; returns false, having written garbage, if it is not ASCII. */
export function writeAscii(target: Uint8Array, offset: number, text: string): boolean {
  const length = text.length
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    target[offset + i] = unit
  }
  return true
}

/** Writes well-formed `text` at `offset`, where `utf8BytesMax` bytes are free; returns the bytes written. */
export function writeUtf8(target: Uint8Array, offset: number, text: string): number {
  return encoder.encodeInto(text, target.subarray(offset)).written
}

/** The text of `bytes[start, end)`, or undefined if that is not UTF-8. */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  return readUtf8By(hostLatin1, bytes, start, end)
}

/** As `readUtf8`, on a host that has this `latin1` or none. */
export function readUtf8By(
  latin1: Latin1Decoder | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  const length = end - start
  if (length <= LATIN1_BYTES_MAX && isAscii(bytes, start, end)) {
    if (length <= LOOP_BYTES_MAX) return readShortAscii(bytes, start, end)
    if (latin1 !== undefined) return latin1.call(bytes, start, end)
  }
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

/** Whether `bytes[start, end)` is UTF-8 as RFC 3629 has it: no overlong form, no surrogate, at most U+10FFFF. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start
  while (i < end) {
    const lead = bytes[i] as number
    if (lead < 0x80) {
      i++
      continue
    }
    const length = sequenceLengthOf(lead)
    if (length === 0 || end - i < length) return false
    const second = bytes[i + 1] as number
    if (second < secondMinOf(lead) || second > secondMaxOf(lead)) return false
    for (let j = i + 2; j < i + length; j++) {
      if (((bytes[j] as number) & 0xc0) !== 0x80) return false
    }
    i += length
  }
  return true
}

function utf8BytesOf(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // Two surrogates make one sequence of four bytes.
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800 || (unit & 0xf800) === 0xd800) bytes += 2
    else bytes += 3
  }
  return bytes
}

function sequenceLengthOf(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return 2
  return lead < 0xf0 ? 3 : 4
}

function secondMinOf(lead: number): number {
  if (lead === 0xe0) return 0xa0
  return lead === 0xf0 ? 0x90 : 0x80
}

function secondMaxOf(lead: number): number {
  if (lead === 0xed) return 0x9f
  return lead === 0xf4 ? 0x8f : 0xbf
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if ((bytes[i] as number) > 0x7f) return false
  }
  return true
}

function readShortAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  let i = start
  for (; i + 4 <= end; i += 4) {
    text += String.fromCharCode(
      bytes[i] as number,
      bytes[i + 1] as number,
      bytes[i + 2] as number,
      bytes[i + 3] as number,
    )
  }
  for (; i < end; i++) text += String.fromCharCode(bytes[i] as number)
  return text
}
