/** Migrates a database directory by the definitions of an application, or tells what that would do. */
import {
  type CollectionDefinitions,
  EntiDB,
  type MigrationPlan,
  type OpenProgress,
  planMigrations,
} from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { assertDatabaseDirectory } from '../inspect/find-database.ts'

export interface Work {
  readonly directory: string
  readonly collections: CollectionDefinitions
  readonly signal: AbortSignal
}

/** Changes nothing. Errors: those of `planMigrations`. */
export async function planDirectory(
  { directory, collections, signal }: Work,
  samples: number,
  onProgress: (progress: OpenProgress) => void,
): Promise<MigrationPlan> {
  await assertDatabaseDirectory(directory)
  signal.throwIfAborted()
  const storage = fileStorage(directory)
  return planMigrations({ storage, collections, samples, signal, onProgress })
}

/** Errors: those of `EntiDB.open`. */
export async function migrateDirectory(
  { directory, collections, signal }: Work,
  { changeFeed }: MigrationPlan,
  onProgress: (progress: OpenProgress) => void,
): Promise<void> {
  const db = await EntiDB.open({
    storage: fileStorage(directory),
    collections,
    // As it is: opening without the feed would empty it.
    changeFeed,
    onProgress: (progress) => {
      signal.throwIfAborted()
      onProgress(progress)
    },
  })
  await db.close()
}
