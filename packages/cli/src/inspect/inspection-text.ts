/** An inspection as people read it. */
import { renderTable } from '../output/text-table.ts'
import { formatBytes, formatCount } from '../output/units.ts'
import type { DatabaseInspection } from './inspect-database.ts'

export function inspectionText(inspection: DatabaseInspection): string {
  const { directory, identity, feed, stats, layout } = inspection
  const { dataBytes, freeBytes, storeId } = layout
  return [
    directory,
    collectionTable(inspection),
    tableTable(inspection),
    `database     ${identity.databaseId}`,
    `device       ${identity.deviceId}`,
    `change feed  ${feed.on ? 'on' : 'off'}, ${formatCount(feed.operations)} operations, head ${formatCount(feed.head)}`,
    `store        ${storeId}, last LSN ${formatCount(stats.lastLsn)}`,
    `data         ${formatBytes(dataBytes)}, of which ${formatBytes(freeBytes)} are free`,
    `log          ${formatBytes(stats.walBytes)}`,
    `superblock   ${superblockText(inspection)}`,
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

function tableTable({ tables }: DatabaseInspection): string {
  const rows = tables.map(({ name, entries, nodes, depth, nodeBytes }) => [
    name,
    entries,
    nodes,
    depth,
    formatBytes(nodeBytes),
  ])
  return renderTable(
    { head: ['table', 'entries', 'nodes', 'depth', 'bytes of nodes'], rows },
    false,
  )
}

function superblockText({ layout: { superblock } }: DatabaseInspection): string {
  const { sequence, sealed, checkpointLsn, walGeneration } = superblock
  const log = sealed ? 'sealed: closed cleanly' : `needs log ${formatCount(walGeneration)}`
  return `number ${formatCount(sequence)}, checkpoint at LSN ${formatCount(checkpointLsn)}, ${log}`
}

function recoveryText({ recovery: { replayedCommits, tailCut } }: DatabaseInspection): string {
  const replayed = `${formatCount(replayedCommits)} commits are replayed from the log when it is opened`
  if (tailCut === undefined) return replayed
  const { file, offset, bytes } = tailCut
  return `${replayed}; a torn tail of ${formatCount(bytes)} bytes is cut off ${file} at ${formatCount(offset)}`
}
