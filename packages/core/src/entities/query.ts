/** What can be asked of a collection. */
import type { Directions, Entity } from './collection-definition.ts'
import type { Condition } from './conditions.ts'
import type { FieldPath, ValueAt } from './field-types.ts'
import type { Selection } from './selection.ts'

/** By field, nested ones as `'address.city'`; all of it has to hold. */
export type Where<T> = {
  readonly [F in Exclude<FieldPath<T>, 'and' | 'or' | 'not'>]?: Condition<ValueAt<T, F>>
} & {
  readonly and?: readonly Where<T>[]
  readonly or?: readonly Where<T>[]
  /** The exact complement. */
  readonly not?: Where<T>
}

/** Several fields in the order they are named, or as a list. Ties are in ascending order of ids. */
export type OrderBy<T> = Directions<FieldPath<T>> | readonly Directions<FieldPath<T>>[]

/** A question to a collection. */
export interface Query<T extends Entity, S extends Selection<T> | undefined = undefined> {
  readonly where?: Where<T>
  /** Runs on what `where` lets through. */
  readonly filter?: (entity: Readonly<T>) => boolean
  /** Default: by id, ascending. */
  readonly orderBy?: OrderBy<T>
  /** At most so many, from 0. Default: all. */
  readonly limit?: number
  /**
   * Answers these fields only, nested ones by path, as new frozen objects: what is left of an entity when all the
   * rest is cut away. What an entity lacks is missing there too; so is a path that meets no object on its way. It
   * changes neither which entities match, nor their order, nor `Page.next`. Such an object has no version: it is no
   * `basedOn`, and has no `versionOf`.
   */
  readonly select?: S
}

/** A query for one page. */
export interface PageQuery<T extends Entity, S extends Selection<T> | undefined = undefined>
  extends Query<T, S> {
  readonly limit: number
  /** `next` of the page before; absent: the first page. */
  readonly after?: string | undefined
}

/** One page of answers. */
export interface Page<T> {
  readonly items: readonly Readonly<T>[]
  /** Undefined at the end. Of use with the same `where`, `filter` and `orderBy` only; `select` may differ. */
  readonly next: string | undefined
}

/** How a query was answered. */
export interface QueryExplanation {
  /**
   * The index used; `id` for the ids themselves; several, with commas, where each part of an `or` was looked
   * up by itself; null when the whole collection was read.
   */
  readonly index: string | null
  /** How many separate stretches of it. */
  readonly ranges: number
  /** Came the order from the index, or was the result sorted in memory? */
  readonly sort: 'index' | 'memory'
  /** Entities or index entries looked at. */
  readonly scanned: number
}
