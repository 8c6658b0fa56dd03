/** What an application says about its collections when it opens a database. */
import type { FieldPath, ListPath } from './field-types.ts'
import type { StandardSchema } from './standard-schema.ts'

/** What every entity has. */
export interface Entity {
  readonly id: string
}

/** The entity type of a collection that names none. */
export interface AnyEntity extends Entity {
  readonly [field: string]: unknown
}

/** Ascending, or descending. */
export type Direction = 'asc' | 'desc'

/** By field, nested ones as `'address.city'`. */
export type Directions<Path extends string> = { readonly [F in Path]?: Direction }

/** A field; or `'tags[]'`, each element of the list at `tags`. */
export type IndexPath<T> = FieldPath<T> | `${ListPath<T>}[]`

/** In ascending order, or `{ field: 'desc' }`. */
export type IndexField<T> = IndexPath<T> | Directions<IndexPath<T>>

/** The long form of an index. */
export interface IndexOptions<T> {
  /**
   * One of them at most may be of the elements of a list: it answers `{ tags: { has: 'x' } }`. Entities without a
   * list there, or with an empty one, are left out.
   */
  readonly on: readonly IndexField<T>[]
  /** No two entities have the same values here (or elements); a missing field counts as null. Default false. */
  readonly unique?: boolean
  /** Leaves out entities that lack one of the fields; then they do not count for `unique` either. */
  readonly sparse?: boolean
}

/**
 * Makes an entity of the next version of its shape. `old` is a copy, decoded for this call: it may be changed
 * and returned. Synchronous; the same for the same entity, on every device and every time; keeps the id.
 */
// What older versions looked like is known to whoever wrote them, and to no type that is left.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Migration = (old: any) => Entity | AnyEntity

/** What the database has to do for a collection. */
export interface CollectionOptions<T extends Entity> {
  /**
   * Any Standard Schema (zod, valibot, arktype, ...); its output is the entity type where no other is named.
   * Checked on every local write, synchronously. It must not transform: what it returns has to equal what it
   * was given. So say what is to happen to fields that it does not name, where the library would drop them:
   * refuse the entity (`strictObject` of zod and valibot) or keep them (`looseObject`).
   */
  readonly schema?: StandardSchema<unknown, T>
  /** Version of the entities' shape, from 1 (the default). Recorded with every local write. */
  readonly version?: number
  /**
   * By the version that each leads to, from the one before. Needed from the oldest version of any entity that
   * is stored, or may arrive by sync, to `version`; an entity that one is missing for is `migration_failed`.
   *
   * @example
   * defineCollection<Person>({ version: 2, migrations: { 2: (old) => ({ ...old, status: 'new' }) } })
   */
  readonly migrations?: { readonly [version: number]: Migration }
  /** By name: a list of fields, or the long form. */
  readonly indexes?: {
    readonly [name: string]: readonly IndexField<NoInfer<T>>[] | IndexOptions<NoInfer<T>>
  }
}

declare const entityType: unique symbol

/** What `defineCollection` answers: the options, with the type of the entities. */
export interface CollectionDefinition<T extends Entity = AnyEntity> extends CollectionOptions<T> {
  /** Never there: it carries the entity type. */
  readonly [entityType]?: T
}

/** Definitions by collection name. */
export interface CollectionDefinitions {
  // The one place that must fit every entity type: definitions are only read where the type is known.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly [name: string]: CollectionDefinition<any>
}

/** The entity type of a definition. */
export type EntityOf<D> = D extends CollectionDefinition<infer T> ? T : never

/**
 * Describes one collection, for `EntiDB.open`. Fields are told by name, nested ones as `'address.city'`.
 *
 * The entity type is T, or what the schema describes; without either, fields may be anything.
 *
 * @example
 * const people = defineCollection<Person>({
 *   indexes: { recent: ['status', { createdAt: 'desc' }], email: { on: ['email'], unique: true } },
 * })
 * const places = defineCollection({ schema: z.strictObject({ id: z.string(), city: z.string() }) })
 */
export function defineCollection<T extends Entity = AnyEntity>(
  options: CollectionOptions<T> = {},
): CollectionDefinition<Named<T>> {
  // Only `any`, which says nothing, is not T.
  return { ...options } as CollectionDefinition<Named<T>>
}

/** Where a definition is part of the options of `EntiDB.open`, a type that nobody named comes out as `any`. */
type Named<T extends Entity> = 0 extends 1 & T ? AnyEntity : T
