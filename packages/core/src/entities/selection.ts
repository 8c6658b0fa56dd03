/** The type of what `select` leaves of an entity. */
import type { ByName, FieldPath, Leaf } from './field-types.ts'

/** The fields to answer with, nested ones by path. */
export type Selection<T> = readonly FieldPath<T>[]

/** What a query answers: entities, or the selected part of each. */
// Undefined first: without `strictNullChecks` it would be a list too.
export type Answer<T, S> = S extends undefined
  ? Readonly<T>
  : S extends readonly string[]
    ? Selected<T, S>
    : never

/**
 * What is left of an entity when all that is not selected is cut away. Any field may be missing when the type of
 * `S` does not tell which ones it names.
 */
export type Selected<T, S extends readonly string[]> = T extends unknown
  ? Part<ByName<T>, S[number], number extends S['length'] ? undefined : never>
  : never

/** `Doubt` is undefined when it is not sure that a path is selected at all. */
type Part<Fields, Path extends string, Doubt> = MissingAsOptional<{
  [Name in First<Path>]: PartAt<Fields, Name, Path, Doubt> | Doubt
}>

type First<Path> = Path extends `${infer Name}.${string}` ? Name : Path

/** What is behind a name, of all the paths through it. */
type Below<Path, Name extends string> = Path extends `${Name}.${infer Rest}` ? Rest : never

type PartAt<Fields, Name extends string, Path extends string, Doubt> = Name extends keyof Fields
  ?
      | (Name extends Path ? Fields[Name] : PartOf<Fields[Name], Below<Path, Name>, Doubt>)
      | (Fields extends Record<Name, unknown> ? never : undefined)
  : undefined

/** A path leads through objects only. */
type PartOf<Value, Path extends string, Doubt> = unknown extends Value
  ? Part<ByName<unknown>, Path, Doubt> | undefined
  : Value extends Leaf
    ? undefined
    : Part<ByName<Value>, Path, Doubt>

type MissingAsOptional<Fields> = Present<Fields> & Missing<Fields> extends infer All
  ? { [Name in keyof All]: All[Name] }
  : never

type Present<Fields> = {
  readonly [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name]
}

type Missing<Fields> = {
  readonly [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<
    Fields[Name],
    undefined
  >
}
