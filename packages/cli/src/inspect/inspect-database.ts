/**
 * Reads what a database directory holds from its tables, without knowing the application's collections:
 * opening it as an application that has none would drop their indexes.
 */
import type { Reader, RecoveryReport, StoreStats } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { assertDatabaseDirectory } from './find-database.ts'
import { FEED_TABLE, roleOfTable } from './table-names.ts'

export interface DatabaseInspection {
  readonly directory: string
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

export interface FeedInspection {
  /** Operations that are still in it. */
  readonly operations: number
  /** The opId of the last one; 0 when there is none. */
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

type Content = Pick<DatabaseInspection, 'collections' | 'feed' | 'tables'>

async function readTables(reader: Reader): Promise<Content> {
  const names = [...(await reader.tables())].sort()
  const tables: TableCount[] = []
  for (const name of names) tables.push({ name, entries: await reader.count(name) })
  return { collections: collectionsOf(tables), feed: await readFeed(reader), tables }
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
  const last = await reader.scan(FEED_TABLE, { reverse: true }).next(1)
  const key = last.keys[0]
  const head = key === undefined ? 0 : Number(Buffer.from(key).readBigUInt64BE())
  return { operations: await reader.count(FEED_TABLE), head }
}
