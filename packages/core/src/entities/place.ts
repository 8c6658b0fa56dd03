/** Where an entity stands in the order of a query's answers. */
import { compareText } from './compare-text.ts'
import { compareValues } from './compare-values.ts'
import type { OrderField } from './parsed-query.ts'

/** A place in the order of the answers: right behind this entity. */
export interface Place {
  /** Of the fields of `orderBy`, in their order. */
  readonly values: readonly unknown[]
  readonly id: string
}

export function placeOf(entity: object, order: readonly OrderField[]): Place {
  // Every stored entity has one.
  const { id } = entity as { readonly id: string }
  return { values: order.map(({ read }) => read(entity)), id }
}

/** Negative, zero or positive. */
export function comparePlaces(a: Place, b: Place, order: readonly OrderField[]): number {
  for (let i = 0; i < order.length; i++) {
    const difference = compareValues(a.values[i], b.values[i])
    if (difference !== 0) return order[i]?.direction === 'desc' ? -difference : difference
  }
  return compareText(a.id, b.id)
}
