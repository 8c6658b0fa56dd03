/** Salvages into a directory that is there as a whole or not at all, whenever the process is killed. */
import { randomBytes } from 'node:crypto'
import { readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { type SalvageProgress, type SalvageReport, salvage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { renderTable } from '../output/text-table.ts'
import { formatCount } from '../output/units.ts'
import { inTheWay, kindOf } from './new-directory.ts'
import { flushDirectory } from './whole-file.ts'

/** Errors: `database_exists` when the target is there and not an empty directory; those of `salvage`. */
export async function salvageDirectory(
  source: string,
  target: string,
  onProgress: (progress: SalvageProgress) => void,
  signal: AbortSignal,
): Promise<SalvageReport> {
  assertFree(target)
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`
  try {
    const places = [fileStorage(source), fileStorage(partial)] as const
    const report = await salvage(...places, { onProgress, signal })
    assertFree(target)
    // Not every system puts a directory in place of an empty one.
    if (kindOf(target) === 'directory') rmdirSync(target)
    renameSync(partial, target)
    await flushDirectory(dirname(target))
    return report
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function assertFree(target: string): void {
  const kind = kindOf(target)
  if (kind === 'absent' || (kind === 'directory' && readdirSync(target).length === 0)) return
  throw inTheWay(target)
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
