/** What came of an import, as people read it. */
import { formatBytes, formatCount } from '../../output/units.ts'
import type { ImportReport } from './import-collection.ts'

export function importText(
  facts: { readonly collection: string; readonly source: string; readonly dryRun: boolean },
  { done, start, outcomes }: ImportReport,
): string {
  const { collection, source, dryRun } = facts
  const input = source === '-' ? 'stdin' : source
  const what = Object.entries(outcomes)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${formatCount(count)} ${outcome}`)
  const records = done.records - start.records
  return [
    `${formatCount(records)} records of ${input} ${dryRun ? 'checked for' : 'imported into'} ${collection}, ${formatBytes(done.bytes - start.bytes)}`,
    ...(what.length > 0 ? [`${dryRun ? 'would be: ' : ''}${what.join(', ')}`] : []),
    ...(start.records > 0
      ? [`${formatCount(start.records)} records before them were imported by an earlier run`]
      : []),
  ].join('\n')
}
