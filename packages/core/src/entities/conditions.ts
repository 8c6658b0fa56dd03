/** What `where` can ask of the value of one field. */

/** A value of `V` as it is asked for: lists may be readonly. */
type Asked<V> = V extends readonly unknown[] ? Readonly<V> : V

/** Null stands for a missing field too. */
type Known<V> = Exclude<V, undefined> | null

/** Conditions on a field of any type. */
export interface EqualityConditions<V> {
  /** Equal; a missing field equals null, -0 equals 0, 1n equals 1. */
  readonly eq?: V
  /** The exact complement of `eq`. */
  readonly ne?: V
  readonly in?: readonly V[]
  /** Tells a missing field from null. */
  readonly exists?: boolean
}

/** A range matches only values of its bound's type. */
export interface RangeConditions<Bound> {
  readonly gt?: Bound
  readonly gte?: Bound
  readonly lt?: Bound
  readonly lte?: Bound
  /** Both bounds included. */
  readonly between?: readonly [low: Bound, high: Bound]
}

/** Conditions on a field that may be text. */
export interface TextConditions {
  readonly startsWith?: string
}

/** Conditions on a field that may be a list. */
export interface ArrayConditions<Item> {
  /** The field is an array that holds this value. */
  readonly has?: Item
}

/** Conditions on one field, those that make sense for its values; all of them have to hold. */
export type Conditions<V> = EqualityConditions<Asked<Known<V>>> &
  Ranges<BoundOf<V>> &
  Texts<BoundOf<V>> &
  Arrays<ItemOf<V>>

type Ranges<Bound> = [Bound] extends [never] ? unknown : RangeConditions<Bound>
type Texts<Bound> = string extends Bound ? TextConditions : unknown
type Arrays<Item> = [Item] extends [never] ? unknown : ArrayConditions<Item>

/** A bound is of the type of the values, and need not be one of them. */
type BoundOf<V> = unknown extends V
  ? unknown
  : V extends string
    ? string
    : V extends number
      ? number
      : V extends bigint
        ? bigint
        : V extends boolean | Date | Uint8Array | readonly unknown[]
          ? Asked<V>
          : never

type ItemOf<V> = unknown extends V
  ? unknown
  : V extends readonly (infer Item)[]
    ? Asked<Exclude<Item, undefined>>
    : never

/** A value means equality; one that is an object is asked for with `{ eq: ... }`. */
export type Condition<V> = unknown extends V ? unknown : Direct<Known<V>> | Conditions<V>

type Direct<V> = V extends Date | Uint8Array | readonly unknown[]
  ? Asked<V>
  : V extends object
    ? never
    : V
