/**
 * Reads what a database directory holds from its tables, without knowing the application's collections and
 * without changing anything.
 */
import {
  assertInvariant,
  type Reader,
  type RecoveryReport,
  type StoreLayout,
  type StoreStats,
} from '@entidb/core'
import { decodeEntity } from '@entidb/core/cbor'
import { withStore } from '../maintenance/with-store.ts'
import { FEED_TABLE, META_TABLE, roleOfTable } from './table-names.ts'

export interface DatabaseInspection {
  readonly directory: string
  readonly identity: IdentityInspection
  readonly collections: readonly CollectionInspection[]
  readonly feed: FeedInspection
  readonly tables: StoreLayout['tables']
  readonly layout: Omit<StoreLayout, 'tables'>
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

/** Errors: `not_a_database`, `database_locked` (it is in use), `corrupt`, `format_too_new`. */
export async function inspectDatabase(directory: string): Promise<DatabaseInspection> {
  return withStore(directory, { readOnly: true }, async (store) => {
    const snapshot = store.snapshot()
    try {
      const found = await store.maintenance?.layout()
      assertInvariant(found !== undefined, 'a store in a directory has a layout')
      const { tables: unordered, ...layout } = found
      const tables = [...unordered].sort((a, b) => (a.name < b.name ? -1 : 1))
      return {
        directory,
        identity: await readIdentity(snapshot),
        collections: collectionsOf(tables),
        feed: await readFeed(snapshot),
        tables,
        layout,
        recovery: store.recovery,
        stats: store.stats(),
      }
    } finally {
      snapshot.release()
    }
  })
}

type Tables = StoreLayout['tables']

function collectionsOf(tables: Tables): readonly CollectionInspection[] {
  return tables.flatMap(({ name, entries }) => {
    const role = roleOfTable(name)
    if (role.kind !== 'records') return []
    return [
      { name: role.collection, entities: entries, indexes: indexesOf(tables, role.collection) },
    ]
  })
}

function indexesOf(tables: Tables, collection: string): CollectionInspection['indexes'] {
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
