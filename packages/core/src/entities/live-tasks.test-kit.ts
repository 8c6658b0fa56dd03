/** A database of tasks for the tests of live queries. */
import { afterEach, beforeEach } from 'vitest'
import { type CollectionDefinition, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import type { LiveChange } from './live-changes.ts'
import { memoryStorage } from './memory-storage.ts'
import type { Query } from './query.ts'

export interface Task {
  id: string
  list: string
  rank: number
  due?: Date
}

export type Definitions = { tasks: CollectionDefinition<Task>; notes: CollectionDefinition }

export const task = (id: string, rank = 0, list = 'home'): Task => ({ id, list, rank })
export const home: Query<Task> = { where: { list: 'home' }, orderBy: { rank: 'asc' } }
export const idsOf = (
  items: readonly { readonly id: string }[] | undefined,
): string[] | undefined => items?.map(({ id }) => id)

export function openOn(storage = memoryStorage()): Promise<EntiDB<Definitions>> {
  return EntiDB.open({
    storage,
    collections: {
      tasks: defineCollection<Task>({ indexes: { list: ['list', 'rank'] } }),
      notes: defineCollection(),
    },
  })
}

/** Until everything that is settled has been told. */
export const turn = (): Promise<void> => new Promise<void>((resolve) => setTimeout(resolve, 0))

export interface TasksFixture {
  readonly db: EntiDB<Definitions>
  /** Errors that nobody else got. */
  readonly uncaught: readonly unknown[]
}

/** A new database for each test of the file. */
export function useTasks(): TasksFixture {
  let db: EntiDB<Definitions> | undefined
  let uncaught: unknown[] = []
  const keep = (error: unknown): void => {
    uncaught.push(error)
  }
  beforeEach(async () => {
    uncaught = []
    process.on('unhandledRejection', keep)
    db = await openOn()
  })
  afterEach(async () => {
    await db?.close()
    await turn()
    process.off('unhandledRejection', keep)
  })
  return {
    get db() {
      if (db === undefined) throw new Error('there is a database in tests alone')
      return db
    },
    get uncaught() {
      return uncaught
    },
  }
}

export function heard(live: {
  subscribe: (listener: (change: LiveChange<Task>) => void) => () => void
}) {
  const changes: LiveChange<Task>[] = []
  const stop = live.subscribe((change) => changes.push(change))
  return { changes, stop }
}

/** Live queries that are open. */
export async function openCount(db: EntiDB<Definitions>): Promise<number> {
  return (await db.stats()).liveQueries
}
