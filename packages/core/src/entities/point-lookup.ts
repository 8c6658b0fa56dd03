/** A query for the one entity that has a value of a unique index: answered without a plan. */
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import type { EntityReader } from './entity-reader.ts'
import { type IndexPlan, idKeyOfEntry } from './index-plan.ts'
import { encodeAfter, NO_BYTES, valuesInterval } from './key-interval.ts'
import type { ParsedQuery } from './parsed-query.ts'
import { type Steps, wait } from './steps.ts'

export interface PointLookup {
  readonly path: string
  readonly index: IndexPlan
  /** A text or a number: those that a `Map` finds as an index does. */
  readonly value: string | number
}

/** Undefined: the query asks for more, or for something else. */
export function pointLookupOf(state: CollectionState, query: ParsedQuery): PointLookup | undefined {
  const { conditions, predicates } = query
  const [condition] = conditions
  if (condition === undefined || conditions.length > 1 || predicates.length > 0) return undefined
  const { path, operator, operand: value } = condition
  if (operator !== 'eq' || (typeof value !== 'string' && typeof value !== 'number'))
    return undefined
  const index = state.uniqueIndexes.get(path)
  return index === undefined ? undefined : { path, index, value }
}

/**
 * The entity, where the cache knows it, of a query that is nothing but `{ where: { [path]: value } }`: that shape is
 * asked by the million, and is not even parsed. Undefined: the query has to be.
 */
export function knownAnswer(state: CollectionState, query: unknown): object | undefined {
  if (state.uniqueIndexes.size === 0) return undefined
  const where = onlyProperty(query, 'where')
  for (const path of state.uniqueIndexes.keys()) {
    const value = onlyProperty(where, path)
    if (typeof value === 'string' || typeof value === 'number')
      return state.cache.latestWith(path, value)
  }
  return undefined
}

/** Undefined where there are others beside it. */
function onlyProperty(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  for (const key in value) if (key !== name) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

/** The first two that have the value, or more: more than one only where replication brought them in. */
export function* lookUp(
  reader: EntityReader,
  state: CollectionState,
  { index, value }: PointLookup,
): Steps<readonly object[]> {
  const isDescending = index.fields[0]?.direction === 'desc'
  const { from, to } = valuesInterval(encodeAfter(NO_BYTES, value, isDescending), isDescending)
  const range = to === undefined ? { gte: from } : { gte: from, lt: to }
  const cursor = reader.view.scan(index.table, range)
  const found: object[] = []
  while (found.length < 2) {
    const { keys, values } = yield* wait(cursor.next(2))
    if (keys.length === 0) break
    for (let i = 0; i < keys.length; i++) {
      // Keys and values belong together.
      const idKey = idKeyOfEntry(keys[i] as Uint8Array, values[i] as Uint8Array)
      const id = idOfKey(idKey)
      found.push(reader.cached(state, id) ?? (yield* reader.entityOfEntry(state, id, idKey)))
    }
  }
  return found
}

/** By its field, each index that is unique by one field alone. */
export function uniqueIndexesOf(indexes: readonly IndexPlan[]): ReadonlyMap<string, IndexPlan> {
  const single = indexes.filter(
    ({ unique, fields, elementsAt }) => unique && fields.length === 1 && elementsAt < 0,
  )
  return new Map(single.flatMap((index) => index.fields.map(({ path }) => [path, index] as const)))
}
