// Diagnostic notation (RFC 8949, section 8) to bytes, written without the product's codec so that the two
// check each other. Integers may carry an encoding indicator (1_1 is 190001), floats must (1.5_2, 1.5_3);
// [_ 1], {_ "a": 1} and (_ "a", "b") are of indefinite length.

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+(?:e[+-]?[0-9]+)?)?(?:_([0-3]))?/y
const STRING = /"(?:[^"\\]|\\.)*"/y
const BYTES = /h'([0-9a-f]*)'/y
const WORD = /true|false|null|undefined/y
const SIMPLE = /simple\(([0-9]+)\)/y
const SPACE = /\s*/y
const SIMPLE_BYTE = { false: 0xf4, true: 0xf5, null: 0xf6, undefined: 0xf7 }

/** The bytes of exactly one item. */
export function assemble(text) {
  const input = { text, at: 0 }
  const bytes = item(input)
  skipSpace(input)
  if (input.at !== text.length) throw syntaxError(input)
  return Uint8Array.from(bytes)
}

export function hex(bytes) {
  return Buffer.from(bytes).toString('hex')
}

function item(input) {
  skipSpace(input)
  const next = input.text[input.at]
  if (next === '[') return container(input, 4, ']', item)
  if (next === '{') return container(input, 5, '}', pair)
  if (next === '(') return chunks(input)
  if (next === '"') return string(input)
  const bytes = match(input, BYTES)
  if (bytes) return [...head(2, bytes[1].length / 2), ...Buffer.from(bytes[1], 'hex')]
  const word = match(input, WORD)
  if (word) return [SIMPLE_BYTE[word[0]]]
  const simple = match(input, SIMPLE)
  if (simple) return Number(simple[1]) < 24 ? [0xe0 + Number(simple[1])] : [0xf8, Number(simple[1])]
  return number(input)
}

function number(input) {
  const found = match(input, NUMBER)
  if (!found) throw syntaxError(input)
  const [text, fraction, indicator] = found
  const digits = text.replace(/_.*/, '')
  if (fraction !== undefined) return float(Number(digits), indicator)
  if (input.text[input.at] === '(') {
    take(input, '(')
    const tagged = [...head(6, BigInt(digits)), ...item(input)]
    take(input, ')')
    return tagged
  }
  const value = BigInt(digits)
  return value < 0n ? head(1, -1n - value, indicator) : head(0, value, indicator)
}

function float(value, indicator) {
  if (indicator === '2') {
    const bytes = Buffer.alloc(4)
    bytes.writeFloatBE(value)
    return [0xfa, ...bytes]
  }
  if (indicator !== '3') throw new SyntaxError(`A float needs _2 or _3: ${value}`)
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return [0xfb, ...bytes]
}

function string(input) {
  const found = match(input, STRING)
  if (!found) throw syntaxError(input)
  const utf8 = Buffer.from(JSON.parse(found[0]))
  return [...head(3, utf8.length), ...utf8]
}

function container(input, major, close, member) {
  input.at++
  const indefinite = input.text[input.at] === '_'
  if (indefinite) input.at++
  const members = list(input, close, member)
  return indefinite
    ? [(major << 5) | 31, ...members.flat(), 0xff]
    : [...head(major, members.length), ...members.flat()]
}

function pair(input) {
  const key = item(input)
  take(input, ':')
  return [...key, ...item(input)]
}

function chunks(input) {
  take(input, '(')
  take(input, '_')
  const parts = list(input, ')', item)
  return [(parts[0][0] & 0xe0) | 31, ...parts.flat(), 0xff]
}

function list(input, close, member) {
  const members = []
  while (!peek(input, close)) {
    if (members.length > 0) take(input, ',')
    members.push(member(input))
  }
  take(input, close)
  return members
}

/** `indicator` 0 to 3 asks for a head of 1, 2, 4 or 8 bytes after the first. */
function head(major, argument, indicator) {
  const value = BigInt(argument)
  const widths = [1, 2, 4, 8]
  const fits = value < 24n ? -1 : widths.findIndex((width) => value < 1n << BigInt(8 * width))
  const chosen = indicator === undefined ? fits : Number(indicator)
  if (chosen < 0) return [(major << 5) | Number(value)]
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return [(major << 5) | (24 + chosen), ...bytes.subarray(8 - widths[chosen])]
}

function match(input, pattern) {
  pattern.lastIndex = input.at
  const found = pattern.exec(input.text)
  if (found) input.at += found[0].length
  return found
}

function skipSpace(input) {
  match(input, SPACE)
}

function peek(input, expected) {
  skipSpace(input)
  return input.text.startsWith(expected, input.at)
}

function take(input, expected) {
  if (!peek(input, expected)) throw syntaxError(input)
  input.at += expected.length
}

function syntaxError(input) {
  return new SyntaxError(
    `Not diagnostic notation at ${input.at}: ${input.text.slice(input.at, input.at + 30)}`,
  )
}
