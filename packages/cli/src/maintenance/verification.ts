/** Verifying a database directory without changing anything in it. */
import {
  isEntiDBError,
  type RecoveryReport,
  type VerifyProgress,
  type VerifyReport,
  verifyStore,
} from '@entidb/core'
import { renderTable } from '../output/text-table.ts'
import { formatBytes, formatCount } from '../output/units.ts'
import { withStore } from './with-store.ts'

export interface Verification extends VerifyReport {
  readonly directory: string
  /** Absent when the damage keeps the database from being opened. */
  readonly recovery?: RecoveryReport
}

/** Errors: `not_a_database`, `database_locked`, `format_too_new`, `read_only`. */
export async function verifyDirectory(
  directory: string,
  onProgress: (progress: VerifyProgress) => void,
  signal: AbortSignal,
): Promise<Verification> {
  try {
    return await withStore(directory, { readOnly: true }, async (store) => {
      const report = await verifyStore(store, { onProgress, signal })
      return { directory, ...report, recovery: store.recovery }
    })
  } catch (error) {
    // So damaged that it does not open: that is the answer.
    if (isEntiDBError(error, 'corrupt')) return unopenable(directory, error)
    throw error
  }
}

function unopenable(
  directory: string,
  error: { readonly message: string; readonly details: Readonly<Record<string, unknown>> },
): Verification {
  const { file, offset } = error.details
  const problem = {
    code: 'corrupt' as const,
    ...(typeof file === 'string' ? { file } : {}),
    ...(typeof offset === 'number' ? { offset } : {}),
    message: error.message,
  }
  const checked = { extents: 0, bytes: 0, entities: 0, indexEntries: 0, rows: 0 }
  return { directory, ok: false, problems: [problem], checked }
}

/** More than anyone reads; `--json` has the others. */
const PROBLEMS_SHOWN = 20

export function verificationText({ directory, ok, problems, checked }: Verification): string {
  const { bytes, extents, entities, indexEntries, rows } = checked
  const lines = [
    directory,
    `checked      ${formatBytes(bytes)} in ${formatCount(extents)} extents`,
    `             ${formatCount(entities)} entities, ${formatCount(indexEntries)} index entries, ${formatCount(rows)} rows of replication and feed`,
  ]
  if (ok) return [...lines, 'result       no problem'].join('\n')
  const shown = problems.slice(0, PROBLEMS_SHOWN)
  const rest = problems.length - shown.length
  return [
    ...lines,
    `result       ${formatCount(problems.length)} problem${problems.length === 1 ? '' : 's'}`,
    renderTable(
      {
        head: ['problem', 'where', 'what'],
        rows: shown.map((problem) => [problem.code, placeOf(problem), problem.message]),
      },
      false,
    ),
    ...(rest > 0 ? [`... and ${formatCount(rest)} more; --json has up to 1,000`] : []),
    `What can still be read is saved by: entidb salvage ${directory} TARGET`,
  ].join('\n')
}

function placeOf({ file, offset, collection, id }: VerifyReport['problems'][number]): string {
  const entity = id === undefined ? collection : `${collection}/${id}`
  const place = file === undefined ? undefined : `${file} at ${formatCount(offset ?? 0)}`
  return [entity, place].filter((part) => part !== undefined).join(', ')
}
