/** Salvages into a directory, and tells what came of it. */
import { type SalvageProgress, type SalvageReport, salvage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { renderTable } from '../output/text-table.ts'
import { formatCount } from '../output/units.ts'
import { makeWholeDirectory } from './whole-directory.ts'

/** Errors: `database_exists` when the target is there and not an empty directory; those of `salvage`. */
export async function salvageDirectory(
  source: string,
  target: string,
  onProgress: (progress: SalvageProgress) => void,
  signal: AbortSignal,
): Promise<SalvageReport> {
  return makeWholeDirectory(target, (partial) =>
    salvage(fileStorage(source), fileStorage(partial), { onProgress, signal }),
  )
}

/** More than anyone reads; `--json` has the others. */
const LOSSES_SHOWN = 20

export function salvageText(source: string, target: string, report: SalvageReport): string {
  const { entities, losses, lossCount } = report
  const copied = renderTable(
    { head: ['collection', 'entities copied'], rows: Object.entries(entities) },
    false,
  )
  const head = [`${source} salvaged to ${target}`, copied]
  if (lossCount === 0) return [...head, 'Nothing is missing.'].join('\n')
  const shown = losses.slice(0, LOSSES_SHOWN)
  const rest = lossCount - shown.length
  const table = renderTable(
    {
      head: ['not read', 'where', 'what'],
      rows: shown.map(({ collection, id, file, offset, message }) => [
        id === undefined ? (collection ?? '') : `${collection ?? ''}/${id}`,
        file === undefined ? '' : `${file} at ${formatCount(offset ?? 0)}`,
        message,
      ]),
    },
    false,
  )
  const more = rest > 0 ? [`... and ${formatCount(rest)} more; --json has up to 10,000`] : []
  const losing = `${formatCount(lossCount)} place${lossCount === 1 ? '' : 's'} could not be read:`
  return [...head, losing, table, ...more].join('\n')
}
