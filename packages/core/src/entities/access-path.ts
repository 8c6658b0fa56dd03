/**
 * Ways to find the entities of a query: each index, and the ids themselves, gives the stretches of keys
 * that an equality prefix and one range leave, which conditions those answer for good, and whether
 * entities come in the order asked for.
 */
import { compareBytes } from '../store/bytes.ts'
import { RANK, type Rank, rankOf } from './compare-values.ts'
import { idKeyOf } from './entity-id.ts'
import type { IndexPlan } from './index-plan.ts'
import { keyAfterPrefix } from './key-range.ts'
import { KEY_TAGS, KeyWriter } from './key-writer.ts'
import type { OrderField, ParsedQuery } from './parsed-query.ts'
import type { ParsedCondition } from './parsed-where.ts'

/** Keys in `[from, to)`; undefined `to`: to the end. */
export interface KeyInterval {
  readonly from: Uint8Array
  readonly to: Uint8Array | undefined
}

export type ScanOrder =
  /** As the keys lie. */
  | 'forward'
  /** From the last key to the first. */
  | 'reverse'
  /** From the last key to the first, but ids ascend where the fields are equal. */
  | 'reverseRuns'

export interface AccessPath {
  /** Undefined: the records themselves, by id. */
  readonly index: IndexPlan | undefined
  readonly intervals: readonly KeyInterval[]
  /** Undefined: not in the order asked for. */
  readonly order: ScanOrder | undefined
  readonly answered: ReadonlySet<ParsedCondition>
  /** Fields fixed by equality, and how the next one is bounded. */
  readonly equalFields: number
  readonly bounded: 'points' | 'range' | 'none'
  /** The equality prefix; with the order's values behind it, a place in the scan. */
  readonly prefix: Uint8Array
}

const writer = new KeyWriter()
const EMPTY = new Uint8Array(0)
const RANGE_OPERATORS: ReadonlySet<string> = new Set([
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'startsWith',
])

/** Undefined when a sparse index may lack entities that the query asks for. */
export function indexPath(index: IndexPlan, query: ParsedQuery): AccessPath | undefined {
  if (index.sparse && !index.fields.every(({ path }) => demandsValue(query, path))) return undefined
  const answered = new Set<ParsedCondition>()
  let prefix: Uint8Array = EMPTY
  let equalFields = 0
  for (const { path, direction } of index.fields) {
    const equality = findCondition(query, path, 'eq')
    if (equality === undefined) break
    answered.add(equality)
    prefix = encodeAfter(prefix, equality.operand, direction === 'desc')
    equalFields++
  }
  const { intervals, bounded } = boundNext(index, query, equalFields, prefix, answered)
  const order = indexOrder(index, equalFields, query)
  return { index, intervals, order, answered, equalFields, bounded, prefix }
}

function boundNext(
  index: IndexPlan,
  query: ParsedQuery,
  equalFields: number,
  prefix: Uint8Array,
  answered: Set<ParsedCondition>,
): Pick<AccessPath, 'intervals' | 'bounded'> {
  const next = index.fields[equalFields]
  const everything = { intervals: [prefixInterval(prefix)], bounded: 'none' } as const
  if (next === undefined) return everything
  const descending = next.direction === 'desc'
  const among = findCondition(query, next.path, 'in')
  if (among !== undefined) {
    answered.add(among)
    // `in` takes a list.
    const points = (among.operand as readonly unknown[]).map((value) =>
      prefixInterval(encodeAfter(prefix, value, descending)),
    )
    return { intervals: descending ? points.reverse() : points, bounded: 'points' }
  }
  const ranges = query.conditions.filter(
    ({ path, operator }) => path === next.path && RANGE_OPERATORS.has(operator),
  )
  if (ranges.length === 0) return everything
  let interval = prefixInterval(prefix)
  for (const condition of ranges) {
    answered.add(condition)
    for (const part of rangeIntervals(prefix, condition, descending)) {
      interval = intersect(interval, part)
    }
  }
  return { intervals: isEmpty(interval) ? [] : [interval], bounded: 'range' }
}

/** The records themselves. Ids are their own keys: conditions that no string meets leave nothing. */
export function idPath(query: ParsedQuery): AccessPath {
  const answered = new Set<ParsedCondition>()
  const order = idOrder(query.order)
  const base = { index: undefined, order, answered, prefix: EMPTY }
  const equality = findCondition(query, 'id', 'eq')
  const points = findCondition(query, 'id', 'in')
  const exact = equality ?? points
  if (exact !== undefined) {
    answered.add(exact)
    // `in` takes a list.
    const ids = equality === undefined ? (exact.operand as readonly unknown[]) : [exact.operand]
    const keys = ids.filter((id) => typeof id === 'string').map(idKeyOf)
    const intervals = keys.map((key) => ({ from: key, to: successor(key) }))
    const equalFields = equality === undefined ? 0 : 1
    return { ...base, intervals, equalFields, bounded: 'points' }
  }
  let interval: KeyInterval = { from: EMPTY, to: undefined }
  let bounded: AccessPath['bounded'] = 'none'
  for (const condition of query.conditions) {
    if (condition.path !== 'id' || !RANGE_OPERATORS.has(condition.operator)) continue
    answered.add(condition)
    bounded = 'range'
    interval = intersect(interval, idInterval(condition))
  }
  const intervals = isEmpty(interval) ? [] : [interval]
  return { ...base, intervals, equalFields: 0, bounded }
}

const NOTHING: KeyInterval = { from: EMPTY, to: EMPTY }

function idInterval({ operator, operand }: ParsedCondition): KeyInterval {
  if (operator === 'between') {
    // `between` takes two bounds.
    const [low, high] = operand as readonly [unknown, unknown]
    if (typeof low !== 'string' || typeof high !== 'string') return NOTHING
    return { from: idKeyOf(low), to: successor(idKeyOf(high)) }
  }
  if (typeof operand !== 'string') return NOTHING
  const key = idKeyOf(operand)
  if (operator === 'startsWith') return { from: key, to: keyAfterPrefix(key) }
  if (operator === 'gt') return { from: successor(key), to: undefined }
  if (operator === 'gte') return { from: key, to: undefined }
  return { from: EMPTY, to: operator === 'lt' ? key : successor(key) }
}

/** The least key above `key`. */
function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

function prefixInterval(prefix: Uint8Array): KeyInterval {
  return { from: prefix, to: keyAfterPrefix(prefix) }
}

function isEmpty({ from, to }: KeyInterval): boolean {
  return to !== undefined && compareBytes(from, to) >= 0
}

function intersect(a: KeyInterval, b: KeyInterval): KeyInterval {
  const from = compareBytes(a.from, b.from) >= 0 ? a.from : b.from
  if (a.to === undefined) return { from, to: b.to }
  if (b.to === undefined) return { from, to: a.to }
  return { from, to: compareBytes(a.to, b.to) <= 0 ? a.to : b.to }
}

function encodeAfter(prefix: Uint8Array, value: unknown, invert: boolean): Uint8Array {
  writer.reset()
  writer.raw(prefix)
  writer.value(value)
  if (invert) writer.invertFrom(prefix.length)
  return writer.take()
}

/** Stretches that all have to be met. */
function rangeIntervals(
  prefix: Uint8Array,
  { operator, operand }: ParsedCondition,
  descending: boolean,
): readonly KeyInterval[] {
  if (operator === 'startsWith') return [startsWithInterval(prefix, operand as string, descending)]
  if (operator === 'between') {
    // `between` takes two bounds.
    const [low, high] = operand as readonly [unknown, unknown]
    return [
      ...boundIntervals(prefix, 'gte', low, descending),
      ...boundIntervals(prefix, 'lte', high, descending),
    ]
  }
  return boundIntervals(prefix, operator, operand, descending)
}

function startsWithInterval(prefix: Uint8Array, text: string, descending: boolean): KeyInterval {
  writer.reset()
  writer.raw(prefix)
  writer.stringPrefix(text)
  if (descending) writer.invertFrom(prefix.length)
  return prefixInterval(writer.take())
}

/** All values of the bound's type, and those on one side of the bound. */
function boundIntervals(
  prefix: Uint8Array,
  operator: string,
  bound: unknown,
  descending: boolean,
): readonly KeyInterval[] {
  const at = prefixInterval(encodeAfter(prefix, bound, descending))
  const after = { from: at.to ?? at.from, to: undefined }
  const included = operator === 'gte' || operator === 'lte'
  const upwards = (operator === 'gt' || operator === 'gte') !== descending
  const side = upwards
    ? included
      ? { from: at.from, to: undefined }
      : after
    : { from: EMPTY, to: included ? at.to : at.from }
  return [rankInterval(prefix, rankOf(bound), descending), side]
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

function findCondition(
  query: ParsedQuery,
  path: string,
  operator: string,
): ParsedCondition | undefined {
  return query.conditions.find(
    (condition) => condition.path === path && condition.operator === operator,
  )
}

/** Does the query let no entity through that lacks the field? */
function demandsValue({ conditions }: ParsedQuery, field: string): boolean {
  return conditions.some(({ path, operator, operand }) => {
    if (path !== field) return false
    if (operator === 'exists') return operand === true
    if (operator === 'startsWith' || operator === 'has') return true
    if (operator === 'ne') return operand === null
    // `in` and `between` take lists.
    if (operator === 'in') return (operand as readonly unknown[]).every((value) => value !== null)
    if (operator === 'between') return (operand as readonly unknown[])[0] !== null
    return operand !== null
  })
}

/** What an index gives after its equality prefix, compared with what is asked for. */
function indexOrder(
  index: IndexPlan,
  equalFields: number,
  query: ParsedQuery,
): ScanOrder | undefined {
  const { fields, idDirection } = effectiveOrder(query, index, equalFields)
  const given = index.fields.slice(equalFields)
  if (given.length !== fields.length) return undefined
  if (given.some(({ path }, i) => path !== fields[i]?.path)) return undefined
  const same = given.filter(({ direction }, i) => direction === fields[i]?.direction).length
  if (same === given.length && idDirection === 'asc') return 'forward'
  if (same > 0) return undefined
  return idDirection === 'desc' ? 'reverse' : given.length > 0 ? 'reverseRuns' : undefined
}

function effectiveOrder(
  query: ParsedQuery,
  index: IndexPlan,
  equalFields: number,
): { readonly fields: readonly OrderField[]; readonly idDirection: 'asc' | 'desc' } {
  const equal = new Set(index.fields.slice(0, equalFields).map(({ path }) => path))
  const idAt = query.order.findIndex(({ path }) => path === 'id')
  const relevant = idAt < 0 ? query.order : query.order.slice(0, idAt)
  const seen = new Set(equal)
  const fields = relevant.filter(({ path }) => !seen.has(path) && seen.add(path))
  return { fields, idDirection: query.order[idAt]?.direction ?? 'asc' }
}

function idOrder(order: readonly OrderField[]): ScanOrder | undefined {
  const [first] = order
  if (first === undefined) return 'forward'
  if (first.path !== 'id') return undefined
  return first.direction === 'asc' ? 'forward' : 'reverse'
}

/** The part of a path's intervals from the run of `values` on, in scan order. */
export function intervalsFrom(
  path: AccessPath,
  values: readonly unknown[],
  id: string,
  order: readonly OrderField[],
): readonly KeyInterval[] {
  const { index, equalFields, prefix } = path
  const forward = path.order === 'forward'
  if (index === undefined) {
    const key = idKeyOf(id)
    const rest = forward ? { from: key, to: undefined } : { from: EMPTY, to: successor(key) }
    return keepPart(path.intervals, rest)
  }
  let run = prefix
  for (const { path: field, direction } of index.fields.slice(equalFields)) {
    const at = order.findIndex((wanted) => wanted.path === field)
    run = encodeAfter(run, values[at], direction === 'desc')
  }
  const { from, to } = prefixInterval(run)
  return keepPart(path.intervals, forward ? { from, to: undefined } : { from: EMPTY, to })
}

function keepPart(intervals: readonly KeyInterval[], part: KeyInterval): readonly KeyInterval[] {
  return intervals
    .map((interval) => intersect(interval, part))
    .filter((interval) => !isEmpty(interval))
}
