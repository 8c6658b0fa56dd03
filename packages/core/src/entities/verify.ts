/** Checking a whole database; what does it is loaded when somebody asks for it. */
import { loadPart } from '../errors/load-part.ts'
import type { KeyValueStore } from '../store/key-value-store.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { CollectionCode } from './collection-state.ts'
import type { VerifyProgress, VerifyReport } from './verify-report.ts'

/** How to follow a check, and to end it. */
export interface VerifyOptions {
  /** Called as the check goes on. */
  readonly onProgress?: (progress: VerifyProgress) => void
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * As `db.verify`, for a store that is open without a database: by a tool that does not know its collections.
 *
 * Errors: `database_closed`, `database_failed`, `load_failed`. What is wrong with the data is in the report.
 *
 * @example
 * const store = await fileStorage('./data').open({ durability: 'strict', readOnly: true })
 * const { ok, problems } = await verifyStore(store)
 */
export async function verifyStore(
  store: KeyValueStore,
  options: VerifyOptions & { readonly scheduler?: Scheduler } = {},
): Promise<VerifyReport> {
  return verifyWith(store, () => undefined, options)
}

/** As `verifyStore`, by somebody who knows the migrations: `codeOf` answers undefined where he does not. */
export async function verifyWith(
  store: KeyValueStore,
  codeOf: (collection: string) => CollectionCode | undefined,
  options: VerifyOptions & { readonly scheduler?: Scheduler },
): Promise<VerifyReport> {
  const { runVerify } = await loadPart(() => import('./maintenance.ts'))
  return runVerify(store, codeOf, options)
}
