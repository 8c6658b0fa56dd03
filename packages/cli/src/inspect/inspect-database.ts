/**
 * Reads what a database directory holds from its tables, without knowing the application's collections:
 * opening it as an application that has none would drop their indexes.
 */
import type { Reader, RecoveryReport, StoreStats } from '@entidb/core'
import { decodeEntity } from '@entidb/core/cbor'
import { fileStorage } from '@entidb/core/node'
import { assertDatabaseDirectory } from './find-database.ts'
import { FEED_TABLE, META_TABLE, roleOfTable } from './table-names.ts'

export interface DatabaseInspection {
  readonly directory: string
  readonly identity: IdentityInspection
  readonly collections: readonly CollectionInspection[]
  readonly feed: FeedInspection
  readonly tables: readonly TableCount[]
  readonly recovery: RecoveryReport
  readonly stats: StoreStats
}

export interface CollectionInspection {
  readonly name: string
  readonly entities: number
  readonly indexes: readonly { readonly name: string; readonly entries: number }[]
}

/** Made with the database's files, and kept in them. */
export interface IdentityInspection {
  readonly databaseId: string
  readonly deviceId: string
}

export interface FeedInspection {
  readonly on: boolean
  /** Operations that are still in it. */
  readonly operations: number
  /** The highest opId in it or removed from it; 0 when there never was one. */
  readonly head: number
}

export interface TableCount {
  readonly name: string
  readonly entries: number
}

/** Errors: `not_a_database`, `database_locked` (it is in use), `corrupt`, `format_too_new`. */
export async function inspectDatabase(directory: string): Promise<DatabaseInspection> {
  await assertDatabaseDirectory(directory)
  const store = await fileStorage(directory).open({ durability: 'strict' })
  try {
    const snapshot = store.snapshot()
    try {
      const { recovery } = store
      return { directory, ...(await readTables(snapshot)), recovery, stats: store.stats() }
    } finally {
      snapshot.release()
    }
  } finally {
    await store.close()
  }
}

type Content = Pick<DatabaseInspection, 'identity' | 'collections' | 'feed' | 'tables'>

async function readTables(reader: Reader): Promise<Content> {
  const names = [...(await reader.tables())].sort()
  const tables: TableCount[] = []
  for (const name of names) tables.push({ name, entries: await reader.count(name) })
  const collections = collectionsOf(tables)
  return { identity: await readIdentity(reader), collections, feed: await readFeed(reader), tables }
}

function collectionsOf(tables: readonly TableCount[]): readonly CollectionInspection[] {
  return tables.flatMap(({ name, entries }) => {
    const role = roleOfTable(name)
    if (role.kind !== 'records') return []
    return [
      { name: role.collection, entities: entries, indexes: indexesOf(tables, role.collection) },
    ]
  })
}

function indexesOf(
  tables: readonly TableCount[],
  collection: string,
): CollectionInspection['indexes'] {
  return tables.flatMap(({ name, entries }) => {
    const role = roleOfTable(name)
    return role.kind === 'index' && role.collection === collection
      ? [{ name: role.index, entries }]
      : []
  })
}

async function readFeed(reader: Reader): Promise<FeedInspection> {
  const { keys } = await reader.scan(FEED_TABLE, { reverse: true }).next(1)
  const last = keys[0] === undefined ? 0 : Number(Buffer.from(keys[0]).readBigUInt64BE())
  const setting = await readMeta(reader, 'feed')
  const head = Math.max(last, numberOf(setting, 'after'))
  return { on: setting !== undefined, operations: await reader.count(FEED_TABLE), head }
}

async function readIdentity(reader: Reader): Promise<IdentityInspection> {
  const identity = await readMeta(reader, 'identity')
  return { databaseId: textOf(identity, 'databaseId'), deviceId: textOf(identity, 'deviceId') }
}

async function readMeta(reader: Reader, key: string): Promise<unknown> {
  const bytes = await reader.get(META_TABLE, Buffer.from(key))
  return bytes === undefined ? undefined : decodeEntity(bytes)
}

function numberOf(value: unknown, field: string): number {
  const found = fieldOf(value, field)
  return typeof found === 'number' ? found : 0
}

function textOf(value: unknown, field: string): string {
  const found = fieldOf(value, field)
  return typeof found === 'string' ? found : ''
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(field)
    : undefined
}
