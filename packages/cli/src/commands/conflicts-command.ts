/** `entidb conflicts`: the conflicts that a sync server answered. */
import { decodeSyncOperation } from '@entidb/protocol'
import { type ConflictRow, sortableNumber } from '@entidb/server'
import type { CliCommand } from '../cli/cli-command.ts'
import type { JsonValue } from '../data/json/json-value.ts'
import {
  fieldsGiven,
  isoTime,
  type Listing,
  listingOptions,
  runListing,
  timeText,
} from '../server-data/listing.ts'
import type { ServerData } from '../server-data/server-database.ts'
import { entityOf } from '../server-data/wire-entity.ts'

interface ConflictFacts {
  readonly detectedAt: string
  readonly collection: string
  readonly entityId: string
  readonly deviceId: string
  readonly opId: number
  readonly opType: string
  readonly base: number
  readonly serverRevision: number
  readonly reason: string
  /** What the device sent, and what the server held; null is deleted or absent. */
  readonly pushed: JsonValue
  readonly stored?: JsonValue
  /** In place of `stored`, where the server has it no more. */
  readonly storedBytes?: number
}

export const conflictsCommand: CliCommand = {
  summary: 'List the conflicts that a sync server answered, the newest first',
  options: {
    ...listingOptions,
    collection: { type: 'string', valueHint: 'name', description: 'Only of this collection' },
    entity: { type: 'string', valueHint: 'id', description: 'Only of the entity of this id' },
    device: { type: 'string', valueHint: 'id', description: 'Only of this device' },
  },
  run(args, environment) {
    const device = args.optionalText('device')
    const listing: Listing<ConflictRow, ConflictFacts> = {
      name: 'conflicts',
      find: (data, page) =>
        data.collection('conflicts').findPage({
          where: {
            ...fieldsGiven(args, { collection: 'collection', entity: 'entityId' }),
            // Keys are deviceId/opId.
            ...(device === undefined ? {} : { id: { startsWith: `${device}/` } }),
          },
          orderBy: [{ detectedAt: 'desc' }, { id: 'desc' }],
          ...page,
        }),
      facts: factsOf,
      head: ['found', 'collection', 'entity', 'device', 'opId', 'op', 'base', 'server', 'reason'],
      cells: (facts) => [
        timeText(Date.parse(facts.detectedAt)),
        facts.collection,
        facts.entityId,
        facts.deviceId,
        facts.opId,
        facts.opType,
        facts.base,
        facts.serverRevision,
        facts.reason,
      ],
    }
    return runListing(listing, args, environment)
  },
}

async function factsOf(row: Readonly<ConflictRow>, data: ServerData): Promise<ConflictFacts> {
  const pushed = decodeSyncOperation(row.clientOpCbor)
  return {
    detectedAt: isoTime(row.detectedAt),
    collection: row.collection,
    entityId: row.entityId,
    deviceId: pushed.deviceId,
    opId: pushed.opId,
    opType: pushed.opType,
    base: pushed.entityVersion,
    serverRevision: row.serverEntityVersion,
    reason: row.reason,
    pushed: entityOf(pushed.entityCbor),
    ...(await storedOf(row, data)),
  }
}

/** A large state is not kept with the conflict: the log has it until a newer one has superseded it. */
async function storedOf(
  row: Readonly<ConflictRow>,
  data: ServerData,
): Promise<Pick<ConflictFacts, 'stored' | 'storedBytes'>> {
  const { serverEntityCbor, serverEntityBytes = 0, serverEntityVersion } = row
  if (serverEntityCbor !== undefined) return { stored: entityOf(serverEntityCbor) }
  const logged = await data.collection('server_oplog').get(sortableNumber(serverEntityVersion))
  if (logged === undefined) return { storedBytes: serverEntityBytes }
  return { stored: entityOf(decodeSyncOperation(logged.operationCbor).entityCbor) }
}
