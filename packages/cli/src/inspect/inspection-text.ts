/** An inspection as people read it. */
import { renderTable } from '../output/text-table.ts'
import { formatBytes, formatCount } from '../output/units.ts'
import type { DatabaseInspection } from './inspect-database.ts'

export function inspectionText(inspection: DatabaseInspection): string {
  const { directory, identity, feed, stats } = inspection
  return [
    directory,
    collectionTable(inspection),
    `database     ${identity.databaseId}`,
    `device       ${identity.deviceId}`,
    `change feed  ${feed.on ? 'on' : 'off'}, ${formatCount(feed.operations)} operations, head ${formatCount(feed.head)}`,
    `files        ${formatBytes(stats.fileBytes)}, last LSN ${formatCount(stats.lastLsn)}`,
    `recovery     ${recoveryText(inspection)}`,
  ].join('\n')
}

function collectionTable({ collections }: DatabaseInspection): string {
  const rows = collections.map(({ name, entities, indexes }) => [
    name,
    entities,
    indexes.map((index) => `${index.name} (${formatCount(index.entries)})`).join(', '),
  ])
  return renderTable({ head: ['collection', 'entities', 'indexes (entries)'], rows }, false)
}

function recoveryText({ recovery: { replayedCommits, tailCut } }: DatabaseInspection): string {
  const replayed = `${formatCount(replayedCommits)} commits replayed from the log`
  if (tailCut === undefined) return replayed
  const { file, offset, bytes } = tailCut
  return `${replayed}; a torn tail of ${formatCount(bytes)} bytes was cut off ${file} at ${offset}`
}
