/** Opening the store of a database directory for as long as a command needs it. */
import type { KeyValueStore } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { assertDatabaseDirectory } from '../inspect/find-database.ts'

/**
 * The store and not the database: opening that needs the application's collections, and would turn its change
 * feed off. Errors: `not_a_database`, `database_locked` (it is in use), `corrupt`, `format_too_new`,
 * `read_only`.
 */
export async function withStore<T>(
  directory: string,
  options: { readonly readOnly: boolean },
  use: (store: KeyValueStore) => Promise<T>,
): Promise<T> {
  await assertDatabaseDirectory(directory)
  const store = await fileStorage(directory).open({ durability: 'strict', ...options })
  let result: T
  try {
    result = await use(store)
  } catch (error) {
    // The first error says why; closing can only add to it.
    await store.close().catch(() => {})
    throw error
  }
  await store.close()
  return result
}
