/** A query for the one entity that has a value of a unique index. */
import type { CollectionState } from './collection-state.ts'
import type { IndexPlan } from './index-plan.ts'
import type { ParsedQuery } from './parsed-query.ts'

export interface PointLookup {
  readonly path: string
  /** A text or a number: those that a `Map` finds as an index does. */
  readonly value: string | number
}

/** Undefined: the query asks for more, or for something else. */
export function pointLookupOf(state: CollectionState, query: ParsedQuery): PointLookup | undefined {
  const { conditions, predicates } = query
  const [condition] = conditions
  if (condition === undefined || conditions.length > 1 || predicates.length > 0) return undefined
  const { path, operator, operand: value } = condition
  if (operator !== 'eq' || !state.uniquePaths.has(path)) return undefined
  return typeof value === 'string' || typeof value === 'number' ? { path, value } : undefined
}

/** The fields of which each is a unique index by itself. */
export function uniquePathsOf(indexes: readonly IndexPlan[]): ReadonlySet<string> {
  const single = indexes.filter(
    ({ unique, fields, elementsAt }) => unique && fields.length === 1 && elementsAt < 0,
  )
  return new Set(single.flatMap(({ fields }) => fields.map(({ path }) => path)))
}
