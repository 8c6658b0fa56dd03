/** Saving what is left of a damaged database; what does it is loaded when somebody asks for it. */
import { loadPart } from '../errors/load-part.ts'
import type { Storage } from '../store/key-value-store.ts'
import type { SalvageReport } from './salvage-report.ts'

/** How far a salvage is. */
export interface SalvageProgress {
  /** First the files are read, in bytes; then indexes are made, in entities. */
  readonly phase: 'files' | 'indexes'
  readonly done: number
  readonly total: number
}

/** How to follow a salvage, and to end it. */
export interface SalvageOptions {
  /** Called as the salvage goes on. */
  readonly onProgress?: (progress: SalvageProgress) => void
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * Copies every readable entity of a damaged database into a new one. `source` is not changed. `target` must hold no
 * database; when this fails, what is in it by then is not complete and to be thrown away. An entity of which a later commit was lost has an earlier state. A database
 * that lost something and syncs should be compared with its server (`sync.verify()`).
 *
 * Errors: `database_exists` (in `target`), `database_locked`, `not_a_database` (nothing in `source` was ever a
 * database), `format_too_new`, `disk_full`, `io_failed`, `read_only`, `load_failed`. A TypeError for a source whose
 * files are somebody else's to look after.
 *
 * @example
 * const { ok, losses } = await salvage(fileStorage('./damaged'), fileStorage('./saved'))
 */
export async function salvage(
  source: Storage,
  target: Storage,
  options: SalvageOptions = {},
): Promise<SalvageReport> {
  const { runSalvage } = await loadPart(() => import('./maintenance.ts'))
  return runSalvage(source, target, options)
}
