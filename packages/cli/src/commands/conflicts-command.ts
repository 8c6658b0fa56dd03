/** `entidb conflicts`: the conflicts that a sync server answered. */
import { decodeSyncOperation } from '@entidb/protocol'
import type { ConflictRow } from '@entidb/server'
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
  readonly stored: JsonValue
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

function factsOf(row: Readonly<ConflictRow>): ConflictFacts {
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
    stored: entityOf(row.serverEntityCbor),
  }
}
