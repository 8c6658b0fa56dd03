/** `entidb oplog`: the operations that a sync server accepted. */
import { decodeSyncOperation } from '@entidb/protocol'
import { type OplogRow, sortableNumber } from '@entidb/server'
import type { CliCommand } from '../cli/cli-command.ts'
import type { JsonValue } from '../data/json/json-value.ts'
import { formatBytes } from '../output/units.ts'
import { fieldsGiven, type Listing, listingOptions, runListing } from '../server-data/listing.ts'
import { entityOf } from '../server-data/wire-entity.ts'

interface OperationFacts {
  readonly cursor: number
  readonly collection: string
  readonly entityId: string
  readonly opType: string
  readonly deviceId: string
  readonly opId: number
  readonly group?: number
  readonly replaces?: number
  readonly timestampMs?: number
  readonly schemaVersion?: number
  readonly bytes: number
  readonly entity?: JsonValue
}

export const oplogCommand: CliCommand = {
  summary: 'List the operations that a sync server accepted, the newest first',
  options: {
    ...listingOptions,
    collection: { type: 'string', valueHint: 'name', description: 'Only of this collection' },
    entity: { type: 'string', valueHint: 'id', description: 'Only of the entity of this id' },
    device: { type: 'string', valueHint: 'id', description: 'Only by this device' },
    since: { type: 'string', valueHint: 'cursor', description: 'Only behind this cursor' },
    'oldest-first': { type: 'boolean', description: 'In the order in which they are pulled' },
    content: { type: 'boolean', description: 'With the entities (JSON only)' },
  },
  run(args, environment) {
    const since = args.optionalCount('since', 0, Number.MAX_SAFE_INTEGER)
    const withContent = args.flag('content')
    const listing: Listing<OplogRow, OperationFacts> = {
      name: 'operations',
      find: (data, page) =>
        data.collection('server_oplog').findPage({
          where: {
            ...fieldsGiven(args, {
              collection: 'collection',
              entity: 'entityId',
              device: 'sourceDeviceId',
            }),
            ...(since === undefined ? {} : { id: { gt: sortableNumber(since) } }),
          },
          // Keys are cursors, as text that sorts as they do.
          orderBy: { id: args.flag('oldest-first') ? 'asc' : 'desc' },
          ...page,
        }),
      facts: (row) => factsOf(row, withContent),
      head: ['cursor', 'collection', 'entity', 'op', 'device', 'opId', 'group', 'replaces', 'size'],
      cells: (facts) => [
        facts.cursor,
        facts.collection,
        facts.entityId,
        facts.opType,
        facts.deviceId,
        facts.opId,
        facts.group ?? '',
        facts.replaces ?? '',
        formatBytes(facts.bytes),
      ],
    }
    return runListing(listing, args, environment)
  },
}

function factsOf(row: Readonly<OplogRow>, withContent: boolean): OperationFacts {
  const operation = decodeSyncOperation(row.operationCbor)
  const { timestampMs, schemaVersion, entityCbor } = operation
  return {
    cursor: row.serverCursor,
    collection: row.collection,
    entityId: row.entityId,
    opType: row.opType,
    deviceId: row.sourceDeviceId,
    opId: operation.opId,
    ...(row.tx === undefined ? {} : { group: row.tx }),
    ...(row.replaces === undefined ? {} : { replaces: row.replaces }),
    ...(timestampMs === undefined ? {} : { timestampMs }),
    ...(schemaVersion === undefined ? {} : { schemaVersion }),
    bytes: entityCbor?.length ?? 0,
    ...(withContent ? { entity: entityOf(entityCbor) } : {}),
  }
}
