/**
 * The fields of an entity type, nested ones by path, and what is in them. A path is known name by name as far as
 * the type says so, for `NamesMax` names; beyond that, and below `unknown` and index signatures, any is taken.
 */

/** Nothing of these is looked into. */
export type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | Uint8Array
  | readonly unknown[]
  | ((...given: never[]) => unknown)

/** Where a type refers to itself, paths have no end; with six such fields, five names make too many for compilers. */
type NamesMax = 4

/** `OneLess[n]` is n - 1. */
type OneLess = readonly [0, 0, 1, 2, 3]

/** The name of a field, or the way to a nested one: `'address.city'`. */
// With `& string` the compiler's messages say FieldPath<Person>; without it, what it is made of.
export type FieldPath<T> = PathWithin<T, unknown, NamesMax> & string

/** The fields that may be lists. */
export type ListPath<T> = PathWithin<T, readonly unknown[], NamesMax> & string

/** The paths to what may be a `Kind`. */
type PathWithin<T, Kind, Names extends number> = T extends Leaf
  ? never
  : Names extends 0
    ? string
    : PathOf<ByName<T>, Kind, OneLess[Names]>

type PathOf<Fields, Kind, NamesBelow extends number> = {
  [Name in keyof Fields & string]-?: IsPattern<Name> extends true
    ? Name
    : If<MayBe<Fields[Name], Kind>, Name> | `${Name}.${PathWithin<Fields[Name], Kind, NamesBelow>}`
}[keyof Fields & string]

type MayBe<Value, Kind> = unknown extends Value
  ? true
  : [Extract<Value, Kind>] extends [never]
    ? false
    : true

type If<Condition, Then> = Condition extends true ? Then : never

/**
 * What a read of the path gives, undefined included where a part of it may be missing; `unknown` where the type
 * does not say.
 */
export type ValueAt<T, Path extends string> = T extends Leaf ? undefined : ValueIn<ByName<T>, Path>

type ValueIn<Fields, Path extends string> = Path extends `${infer Name}.${infer Rest}`
  ? Name extends keyof Fields
    ? ValueAt<Fields[Name], Rest>
    : undefined
  : IsPattern<Path> extends true
    ? ValueUnder<Path extends keyof Fields ? Fields[Path] : unknown>
    : Path extends keyof Fields
      ? Fields[Path]
      : undefined

/** A pattern stands for longer paths too. */
type ValueUnder<Value> = Value extends Leaf ? Value | undefined : unknown

/**
 * Fields as a path names them: a numeric name as text, and none that a path cannot name. Any, where the type does
 * not say which there are.
 */
export type ByName<T> = [keyof T] extends [never]
  ? { [name: string]: unknown }
  : { [Key in keyof T as NameOf<Key>]: T[Key] }

type NameOf<Key> = Key extends number
  ? number extends Key
    ? string
    : `${Key}`
  : Key extends '' | `${string}.${string}`
    ? never
    : Key & string

/** Does it stand for many names, as an index signature does? */
type IsPattern<Name extends string> =
  Record<never, never> extends Record<Name, unknown> ? true : false
