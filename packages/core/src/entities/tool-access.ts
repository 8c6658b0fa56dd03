/** What tools do in a database beyond its public methods; see `stored-database.ts`. */
import type { CollectionDefinitions } from './collection-definition.ts'
import type { CollectionSpec } from './collection-state.ts'
import { coreOf } from './database.ts'
import {
  type EncodedEntity,
  type EncodedPutOutcome,
  type OnConflict,
  putEncoded,
  putEncodedMany,
} from './encoded-put.ts'
import { deleteMeta, readAllMeta, readMeta, TOOL_PREFIX, writeMeta } from './meta.ts'
import { OpenWork } from './open-work.ts'
import type { Steps } from './steps.ts'
import { sessionOf } from './transaction.ts'

/** How a collection was defined last. */
export interface StoredCollection extends CollectionSpec {
  readonly name: string
  /** Named with a leading `_`: state of a sync client, not the application's data. */
  readonly isSystem: boolean
}

/** The collections that are usable in `db`, by name. */
export function storedCollections(db: object): readonly StoredCollection[] {
  const collections = coreOf(db).core.catalog.defined.map(
    ({ name, isSystem, schemaVersion, indexes }) => ({
      name,
      isSystem,
      schemaVersion,
      indexes: Object.fromEntries(
        indexes.map(({ name: index, fields, unique, sparse }) => [
          index,
          { fields, unique, sparse },
        ]),
      ),
    }),
  )
  return collections.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Defines a collection without indexes, which an application may define further. Its entities are taken to be of
 * shape `schemaVersion` (default 1). One that is there stays as it is. Durable when it resolves.
 * @throws TypeError for a name that no collection can have.
 */
export async function createStoredCollection(
  db: object,
  name: string,
  { schemaVersion = 1 }: { readonly schemaVersion?: number } = {},
): Promise<void> {
  const { core, source } = coreOf(db)
  if (core.catalog.defined.some((state) => state.name === name)) return
  const definitions: CollectionDefinitions = { [name]: { version: schemaVersion } }
  const work = new OpenWork(core.scheduler)
  const apply = await source.write(function* (writer) {
    const meta = yield* readAllMeta(writer.tx)
    const setting = { system: false, rewrites: false, work, meta }
    const defined = yield* core.catalog.define(writer.tx, definitions, setting)
    writer.markDirty()
    return defined.apply
  })
  apply()
}

/**
 * In the transaction `tx`: stores an entity that is encoded already, byte for byte, as a local edit: it goes
 * into the change feed and to sync. Details: `encoded-put.ts`.
 *
 * Errors: those of `Collection.put`; `invalid_cbor` for bytes that are not one entity in its one form;
 * `entity_exists` with `fail`; `unknown_collection`.
 */
export async function putEncodedEntity(
  db: object,
  tx: object,
  collection: string,
  bytes: Uint8Array,
  onConflict: OnConflict,
): Promise<EncodedPutOutcome> {
  const state = coreOf(db).core.catalog.find(collection)
  if (state.isSystem) throw new TypeError(`${collection} is a system collection`)
  return sessionOf(tx).run((writer) => putEncoded(writer, state, bytes, onConflict))
}

/**
 * In the transaction `tx`: stores entities with encodings that the caller made of them, as `putMany` would. For who
 * writes so many rows of a few known shapes that encoding any object takes too long. What is wrong with the
 * encodings is found by nobody before it is read.
 *
 * Errors: those of `Collection.putMany`; `unknown_collection`.
 */
export async function putEncodedEntities(
  tx: object,
  collection: string,
  entities: readonly EncodedEntity[],
): Promise<void> {
  await sessionOf(tx).run((writer) =>
    putEncodedMany(writer, writer.core.catalog.find(collection), entities),
  )
}

/** What a tool has put aside under `key`, as `tx` sees it; undefined when there is nothing. */
export async function readToolState(tx: object, key: string): Promise<unknown> {
  return sessionOf(tx).run((writer) => readMeta(writer.tx, TOOL_PREFIX + key))
}

/**
 * In the transaction `tx`: puts a value aside, so that it is there if and only if what else the transaction
 * writes is; undefined removes it. It is copied with the database, and not synced.
 */
export async function writeToolState(tx: object, key: string, value: unknown): Promise<void> {
  await sessionOf(tx).run(function* (writer): Steps<void> {
    writer.markDirty()
    if (value === undefined) yield* deleteMeta(writer.tx, TOOL_PREFIX + key)
    else yield* writeMeta(writer.tx, TOOL_PREFIX + key, value)
  })
}
