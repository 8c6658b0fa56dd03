/** The way by id: the records themselves. Ids are their own keys: conditions that no string meets leave nothing. */
import type { AccessPath, ScanOrder } from './access-path.ts'
import { idKeyOf } from './entity-id.ts'
import {
  EVERYTHING,
  intersect,
  isEmpty,
  isRange,
  type KeyInterval,
  NO_BYTES,
  successor,
} from './key-interval.ts'
import { keyAfterPrefix } from './key-range.ts'
import type { OrderField, ParsedQuery } from './parsed-query.ts'
import { findCondition, type ParsedCondition } from './parsed-where.ts'

const ALL: AccessPath = {
  index: undefined,
  stretches: [{ ...EVERYTHING, prefix: NO_BYTES }],
  order: 'forward',
  isMerged: false,
  answered: new Set(),
  equalFields: 0,
  pointFields: 0,
  isRanged: false,
  constants: new Map(),
}

export function idPath(query: ParsedQuery): AccessPath {
  const order = idOrder(query.order)
  if (!query.conditions.some(({ path }) => path === 'id')) {
    return order === ALL.order ? ALL : { ...ALL, order }
  }
  const answered = new Set<ParsedCondition>()
  const base = { ...ALL, order, answered }
  const equality = findCondition(query.conditions, 'id', 'eq')
  const exact = equality ?? findCondition(query.conditions, 'id', 'in')
  if (exact !== undefined) {
    answered.add(exact)
    // `in` takes a list.
    const ids = equality === undefined ? (exact.operand as readonly unknown[]) : [exact.operand]
    const keys = ids.filter((id) => typeof id === 'string').map(idKeyOf)
    const intervals = keys.map((key) => ({ from: key, to: successor(key) }))
    return { ...base, stretches: toStretches(intervals), pointFields: 1 }
  }
  let interval = EVERYTHING
  let isRanged = false
  for (const condition of query.conditions) {
    if (condition.path !== 'id' || !isRange(condition)) continue
    answered.add(condition)
    isRanged = true
    interval = intersect(interval, idInterval(condition))
  }
  const intervals = isEmpty(interval) ? [] : [interval]
  return { ...base, stretches: toStretches(intervals), isRanged }
}

function toStretches(intervals: readonly KeyInterval[]): AccessPath['stretches'] {
  return intervals.map((interval) => ({ ...interval, prefix: NO_BYTES }))
}

const NOTHING: KeyInterval = { from: NO_BYTES, to: NO_BYTES }

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
  return { from: NO_BYTES, to: operator === 'lt' ? key : successor(key) }
}

function idOrder(order: readonly OrderField[]): ScanOrder | undefined {
  const [first] = order
  if (first === undefined) return 'forward'
  if (first.path !== 'id') return undefined
  return first.direction === 'asc' ? 'forward' : 'reverse'
}
