/**
 * Values of EntiDB as JSON and back, exactly: `docs/data-formats.md`, "JSON". What JSON has no form for is an
 * object whose one key begins with `$`; an object that has such a key itself gets one `$` more.
 */
import { decodeBase64 } from './base64.ts'
import { parseIsoDate } from './iso-date.ts'

/** What `JSON.parse` answers. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** A form of ours that says nothing. `message` completes a sentence about the input. */
export class JsonFormError extends Error {}

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
])

/** Of a value that an entity can hold. */
export function toJson(value: unknown): JsonValue {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: nameOf(value) }
    case 'bigint':
      return { $bigint: String(value) }
    case 'object':
      return value === null ? null : objectToJson(value)
    case 'string':
    case 'boolean':
      return value
    default:
      throw new TypeError(`No entity holds a ${typeof value}`)
  }
}

function nameOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function objectToJson(value: object): JsonValue {
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Date) return { $date: value.toISOString() }
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first !== undefined && first[0].startsWith('$')) {
    return fromEntries([[`$${first[0]}`, toJson(first[1])]])
  }
  return fromEntries(entries.map(([key, item]) => [key, toJson(item)]))
}

/** Keys such as `__proto__` are data. */
function fromEntries<T>(entries: Iterable<readonly [string, T]>): { [key: string]: T } {
  return Object.fromEntries(entries)
}

/** More than an entity may have, which says so by itself; less than the stack holds. */
const JSON_DEPTH_MAX = 1_000

/** What `JSON.parse` made, as the value it stands for. @throws JsonFormError */
export function fromJson(json: unknown, depth = 0): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (depth > JSON_DEPTH_MAX) throw new JsonFormError('values nest deeper than in any entity')
  const inner = (item: unknown): unknown => fromJson(item, depth + 1)
  if (Array.isArray(json)) return json.map(inner)
  const entries = Object.entries(json)
  const [first] = entries
  if (entries.length === 1 && first !== undefined && first[0].startsWith('$')) {
    const [key, item] = first
    return key.startsWith('$$') ? fromEntries([[key.slice(1), inner(item)]]) : fromForm(key, item)
  }
  return fromEntries(entries.map(([key, item]) => [key, inner(item)] as const))
}

function fromForm(key: string, item: unknown): unknown {
  const parse = FORMS.get(key)
  if (parse === undefined) {
    const known = [...FORMS.keys()].join(', ')
    throw new JsonFormError(
      `{ "${key}": ... } is no form for a value; there are ${known}. An object with just this key is written { "$${key}": ... }.`,
    )
  }
  const value = parse(item)
  if (value === undefined) {
    throw new JsonFormError(`{ "${key}": ${excerpt(JSON.stringify(item))} } ${WANTED[key]}`)
  }
  return value
}

/** Each answers undefined for what it cannot read. */
const FORMS: ReadonlyMap<string, (item: unknown) => unknown> = new Map<
  string,
  (item: unknown) => unknown
>([
  ['$date', (item) => (typeof item === 'string' ? parseIsoDate(item) : undefined)],
  ['$bytes', (item) => (typeof item === 'string' ? decodeBase64(item) : undefined)],
  ['$bigint', (item) => (typeof item === 'string' ? parseBigint(item) : undefined)],
  ['$number', (item) => NUMBERS.get(item)],
])

const WANTED: Readonly<Record<string, string>> = {
  $date: 'is no date; it is written "2026-01-31T12:00:00.000Z"',
  $bytes: 'is not base64 in its one form, with padding',
  $bigint: 'is no integer in decimal digits, at most 160,000 of them',
  $number: 'is none of "NaN", "Infinity", "-Infinity", "-0"',
}

/** A bigint of an entity has at most 64 KiB; more digits take long to read for nothing. */
const BIGINT = /^(0|-?[1-9]\d{0,159999})$/

/** Undefined for text that is no integer, or longer than that of any entity. */
export function parseBigint(text: string): bigint | undefined {
  return BIGINT.test(text) ? BigInt(text) : undefined
}

/** For a message. */
export function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}
