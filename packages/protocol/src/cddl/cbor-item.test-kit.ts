/**
 * Any well-formed CBOR item as a tree, for tests: independent of the product's reader, and lenient
 * where that is strict (tags, floats, long heads), so that a schema can be held against anything.
 */

export type CborItem =
  | { readonly kind: 'int'; readonly value: bigint; readonly indicator: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly CborItem[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [CborItem, CborItem])[] }
  | { readonly kind: 'tag'; readonly tag: bigint; readonly content: CborItem }
  | { readonly kind: 'simple'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number; readonly indicator: string }

interface Input {
  readonly bytes: Uint8Array
  readonly view: DataView
  at: number
}

/** Exactly one valid item of definite lengths; an error for anything else. */
export function parseCborItem(bytes: Uint8Array): CborItem {
  const [item, ...more] = parseCborSequence(bytes)
  if (item === undefined || more.length > 0) throw new SyntaxError('Not one item')
  return item
}

/** Items behind each other (RFC 8742), to the last byte. */
export function parseCborSequence(bytes: Uint8Array): readonly CborItem[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const input = { bytes, view, at: 0 }
  const items: CborItem[] = []
  while (input.at < bytes.length) items.push(parseItem(input))
  return items
}

function parseItem(input: Input): CborItem {
  const initial = byteAt(input, input.at)
  const major = initial >> 5
  const info = initial & 31
  input.at++
  if (info > 27) throw new SyntaxError(`Additional information ${info}`)
  const width = info < 24 ? 0 : 1 << (info - 24)
  if (major === 7) return parseSimple(input, info, width)
  const argument = info < 24 ? BigInt(info) : parseArgument(input, width)
  if (major <= 1) {
    const value = major === 0 ? argument : -1n - argument
    return { kind: 'int', value, indicator: isShortest(argument, width) ? '' : `_${info - 24}` }
  }
  if (major === 6) return { kind: 'tag', tag: argument, content: parseItem(input) }
  if (argument > BigInt(input.bytes.length - input.at)) throw new SyntaxError('Too long')
  return parseSized(input, major, Number(argument))
}

function parseSized(input: Input, major: number, count: number): CborItem {
  if (major === 2) return { kind: 'bytes', value: parseBytes(input, count) }
  if (major === 3) {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return { kind: 'text', value: decoder.decode(parseBytes(input, count)) }
  }
  if (major === 4) {
    return { kind: 'array', items: Array.from({ length: count }, () => parseItem(input)) }
  }
  const pair = (): [CborItem, CborItem] => [parseItem(input), parseItem(input)]
  return { kind: 'map', entries: withoutDuplicates(Array.from({ length: count }, pair)) }
}

function withoutDuplicates<T>(entries: readonly (readonly [CborItem, T])[]): typeof entries {
  const texts = entries.flatMap(([key]) => (key.kind === 'text' ? [key.value] : []))
  if (new Set(texts).size < texts.length) throw new SyntaxError('A key comes twice')
  return entries
}

function parseSimple(input: Input, info: number, width: number): CborItem {
  if (info < 24) return { kind: 'simple', value: info }
  const start = input.at
  const bits = parseArgument(input, width)
  if (width === 1) return { kind: 'simple', value: Number(bits) }
  const indicator = `_${info - 24}`
  if (width === 2) return { kind: 'float', value: halfFloat(Number(bits)), indicator }
  const value = width === 4 ? input.view.getFloat32(start) : input.view.getFloat64(start)
  return { kind: 'float', value, indicator }
}

function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

function parseArgument(input: Input, width: number): bigint {
  let value = 0n
  for (let i = 0; i < width; i++) value = (value << 8n) | BigInt(byteAt(input, input.at + i))
  input.at += width
  return value
}

function parseBytes(input: Input, count: number): Uint8Array {
  const start = input.at
  input.at += count
  return input.bytes.subarray(start, input.at)
}

function isShortest(argument: bigint, width: number): boolean {
  if (width === 0) return true
  return width === 1 ? argument >= 24n : argument >= 1n << BigInt(width * 4)
}

function byteAt(input: Input, offset: number): number {
  const byte = input.bytes[offset]
  if (byte === undefined) throw new SyntaxError('Truncated')
  return byte
}
