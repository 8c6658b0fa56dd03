/** Stretches of keys, and how conditions become stretches. */
import { compareBytes } from '../store/bytes.ts'
import { RANK, type Rank, rankOf } from './compare-values.ts'
import { keyAfterPrefix } from './key-range.ts'
import { KEY_TAGS, KeyWriter } from './key-writer.ts'
import type { Operator, ParsedCondition } from './parsed-where.ts'

/** Keys in `[from, to)`; undefined `to`: to the end. */
export interface KeyInterval {
  readonly from: Uint8Array
  readonly to: Uint8Array | undefined
}

export const NO_BYTES: Uint8Array = new Uint8Array(0)
export const EVERYTHING: KeyInterval = { from: NO_BYTES, to: undefined }

const RANGE_OPERATORS: ReadonlySet<Operator> = new Set<Operator>([
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'startsWith',
])

export function isRange({ operator }: ParsedCondition): boolean {
  return RANGE_OPERATORS.has(operator)
}

const writer = new KeyWriter()

/** The key of a value behind what comes before it; `invert`: in descending order. */
export function encodeAfter(prefix: Uint8Array, value: unknown, invert: boolean): Uint8Array {
  writer.reset()
  writer.raw(prefix)
  writer.value(value)
  if (invert) writer.invertFrom(prefix.length)
  return writer.take()
}

function prefixInterval(prefix: Uint8Array): KeyInterval {
  return { from: prefix, to: keyAfterPrefix(prefix) }
}

/**
 * The keys whose first values are those that `values` ends with; `invert`: the last one is in descending order. Not
 * those of a text or bytes that go on with 00: these have FF behind the same beginning, which nothing else has.
 */
export function valuesInterval(values: Uint8Array, invert: boolean): KeyInterval {
  if (values.length === 0) return EVERYTHING
  return invert
    ? { from: withByte(values, 0x01), to: keyAfterPrefix(values) }
    : { from: values, to: withByte(values, 0xff) }
}

/** The least key above `key`. */
export function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

export function isEmpty({ from, to }: KeyInterval): boolean {
  return to !== undefined && compareBytes(from, to) >= 0
}

export function intersect(a: KeyInterval, b: KeyInterval): KeyInterval {
  const from = compareBytes(a.from, b.from) >= 0 ? a.from : b.from
  if (a.to === undefined) return { from, to: b.to }
  if (b.to === undefined) return { from, to: a.to }
  return { from, to: compareBytes(a.to, b.to) <= 0 ? a.to : b.to }
}

/** What a condition that `isRange` leaves of the keys behind `prefix`. */
export function rangeInterval(
  prefix: Uint8Array,
  { operator, operand }: ParsedCondition,
  descending: boolean,
): KeyInterval {
  if (operator === 'startsWith') return startsWithInterval(prefix, operand as string, descending)
  if (operator !== 'between') return boundInterval(prefix, operator, operand, descending)
  // `between` takes two bounds.
  const [low, high] = operand as readonly [unknown, unknown]
  return intersect(
    boundInterval(prefix, 'gte', low, descending),
    boundInterval(prefix, 'lte', high, descending),
  )
}

function startsWithInterval(prefix: Uint8Array, text: string, descending: boolean): KeyInterval {
  writer.reset()
  writer.raw(prefix)
  writer.stringPrefix(text)
  if (descending) writer.invertFrom(prefix.length)
  return prefixInterval(writer.take())
}

/** The values of the bound's type on one side of the bound. */
function boundInterval(
  prefix: Uint8Array,
  operator: Operator,
  bound: unknown,
  descending: boolean,
): KeyInterval {
  const at = valuesInterval(encodeAfter(prefix, bound, descending), descending)
  const after = { from: at.to ?? at.from, to: undefined }
  const included = operator === 'gte' || operator === 'lte'
  const upwards = (operator === 'gt' || operator === 'gte') !== descending
  const side = upwards
    ? included
      ? { from: at.from, to: undefined }
      : after
    : { from: NO_BYTES, to: included ? at.to : at.from }
  return intersect(rankInterval(prefix, rankOf(bound), descending), side)
}

const TAGS_BY_RANK: Readonly<Record<Rank, readonly [first: number, last: number]>> = {
  [RANK.null]: [KEY_TAGS.NULL, KEY_TAGS.NULL],
  [RANK.boolean]: [KEY_TAGS.FALSE, KEY_TAGS.TRUE],
  [RANK.number]: [KEY_TAGS.NUMBER, KEY_TAGS.NUMBER],
  [RANK.string]: [KEY_TAGS.STRING, KEY_TAGS.STRING],
  [RANK.date]: [KEY_TAGS.DATE, KEY_TAGS.DATE],
  [RANK.bytes]: [KEY_TAGS.BYTES, KEY_TAGS.BYTES],
  [RANK.array]: [KEY_TAGS.ARRAY, KEY_TAGS.ARRAY],
  [RANK.map]: [KEY_TAGS.MAP, KEY_TAGS.MAP],
}

function rankInterval(prefix: Uint8Array, rank: Rank, descending: boolean): KeyInterval {
  const [first, last] = TAGS_BY_RANK[rank]
  const [low, high] = descending ? [0xff - last, 0xff - first] : [first, last]
  return { from: withByte(prefix, low), to: withByte(prefix, high + 1) }
}

function withByte(prefix: Uint8Array, byte: number): Uint8Array {
  const key = new Uint8Array(prefix.length + 1)
  key.set(prefix)
  key[prefix.length] = byte
  return key
}
