/** A query checked and ready to run: operands are taken at the moment of the call. */
import type { Direction } from './collection-definition.ts'
import { invalidQuery } from './entity-errors.ts'
import { type FieldReader, fieldReader, isFieldPath } from './field-path.ts'
import {
  type Alternatives,
  type ParsedCondition,
  type Predicate,
  parseWhere,
} from './parsed-where.ts'
import { type Projection, parseSelect } from './projection.ts'

export interface OrderField {
  readonly path: string
  readonly read: FieldReader
  readonly direction: Direction
}

export interface ParsedQuery {
  /** All of them have to hold, and so do `predicates`. */
  readonly conditions: readonly ParsedCondition[]
  readonly predicates: readonly Predicate[]
  /** Of each `or`, for the choice of a way; the predicates say the same. */
  readonly alternatives: readonly Alternatives[]
  readonly order: readonly OrderField[]
  readonly limit: number
  /** Applied to each answer, after everything else. */
  readonly project: Projection | undefined
}

const EVERYTHING: ParsedQuery = {
  conditions: [],
  predicates: [],
  alternatives: [],
  order: [],
  limit: Infinity,
  project: undefined,
}

const KEYS = new Set(['where', 'filter', 'orderBy', 'limit', 'after', 'select'])

/** Error: `invalid_query`. */
export function parseQuery(query: unknown): ParsedQuery {
  if (query === undefined) return EVERYTHING
  if (typeof query !== 'object' || query === null) throw invalidQuery('A query is an object')
  for (const key of Object.keys(query)) {
    if (!KEYS.has(key)) throw invalidQuery(`A query has no ${key}; it has ${[...KEYS].join(', ')}`)
  }
  const { where, filter, orderBy, limit, select } = query as Readonly<Record<string, unknown>>
  const parsed = parseWhere(where)
  if (filter !== undefined) parsed.predicates.push(parseFilter(filter))
  return {
    conditions: parsed.conditions,
    predicates: parsed.predicates,
    alternatives: parsed.alternatives,
    order: orderBy === undefined ? EVERYTHING.order : parseOrder(orderBy),
    limit: parseLimit(limit),
    project: parseSelect(select),
  }
}

function parseFilter(filter: unknown): Predicate {
  if (typeof filter !== 'function') throw invalidQuery('filter must be a function')
  return (entity) => Boolean(filter(entity))
}

function parseLimit(limit: unknown): number {
  if (limit === undefined || limit === Infinity) return Infinity
  if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0) return limit
  throw invalidQuery('limit must be an integer from 0')
}

function parseOrder(orderBy: unknown): readonly OrderField[] {
  const parts: readonly unknown[] = Array.isArray(orderBy) ? orderBy : [orderBy]
  return parts.flatMap((part) => {
    if (typeof part !== 'object' || part === null) {
      throw invalidQuery("orderBy is { field: 'asc' | 'desc' }, or a list of those")
    }
    return Object.entries(part).map(([path, direction]) => orderField(path, direction))
  })
}

function orderField(path: string, direction: unknown): OrderField {
  if (!isFieldPath(path)) throw invalidQuery(`orderBy names no field: ${path}`)
  if (direction !== 'asc' && direction !== 'desc') {
    throw invalidQuery(`orderBy ${path} must be 'asc' or 'desc'`)
  }
  return { path, read: fieldReader(path), direction }
}
