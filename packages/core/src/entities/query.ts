/** What can be asked of a collection. */
import type { Direction, Entity, FieldPath } from './collection-definition.ts'

/** Conditions on one field; all of them have to hold. A range matches only values of its bound's type. */
export interface Conditions<V> {
  /** Equal; a missing field equals null, -0 equals 0, 1n equals 1. */
  readonly eq?: V
  /** The exact complement of `eq`. */
  readonly ne?: V
  readonly gt?: V
  readonly gte?: V
  readonly lt?: V
  readonly lte?: V
  readonly in?: readonly V[]
  /** Both bounds included. */
  readonly between?: readonly [low: V, high: V]
  readonly startsWith?: string
  /** Tells a missing field from null. */
  readonly exists?: boolean
  /** The field is an array that holds this value. */
  readonly has?: V extends readonly (infer Item)[] ? Item : unknown
}

type Queryable<V> = Exclude<V, undefined> | null

/** A value means equality. */
export type Condition<V> = Queryable<V> | Conditions<Queryable<V>>

/** Conditions by field, all of which have to hold. */
export type Where<T> = {
  readonly [F in FieldPath<T>]?: F extends keyof T ? Condition<T[F]> : Condition<unknown>
} & {
  readonly and?: readonly Where<T>[]
  readonly or?: readonly Where<T>[]
  /** The exact complement. */
  readonly not?: Where<T>
}

/** Several fields in the order they are named, or as a list. Ties are in ascending order of ids. */
export type OrderBy<T> =
  | { readonly [F in FieldPath<T>]?: Direction }
  | readonly { readonly [F in FieldPath<T>]?: Direction }[]

/** A question to a collection. */
export interface Query<T extends Entity> {
  readonly where?: Where<T>
  /** Runs on what `where` lets through. */
  readonly filter?: (entity: Readonly<T>) => boolean
  /** Default: by id, ascending. */
  readonly orderBy?: OrderBy<T>
  /** At most so many, from 0. Default: all. */
  readonly limit?: number
}

/** A query for one page. */
export interface PageQuery<T extends Entity> extends Query<T> {
  readonly limit: number
  /** `next` of the page before; absent: the first page. */
  readonly after?: string | undefined
}

/** One page of answers. */
export interface Page<T> {
  readonly items: readonly Readonly<T>[]
  /** Undefined at the end. Of use with the same `where`, `filter` and `orderBy` only. */
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
