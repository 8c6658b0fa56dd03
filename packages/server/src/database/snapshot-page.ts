/**
 * One page of a snapshot: the newest operations of the entities that follow a key, in cursor order, as a page of the
 * oplog has them. Whoever stores page after page writes one part of its tree after the other, where the order
 * of the oplog would lead it all over the tree in every page.
 *
 * Each page is read from the present state. What was written behind the pages since the first one is in the
 * oplog after `through`, the head of that moment: whoever goes on from there has everything.
 */
import { type SyncOperation, decodeSyncOperation, encodeSyncOperation } from '@entidb/protocol'
import { entityKey, type ServerReader, sortableNumber } from './collections.ts'
import { type EntityState, readEntityState } from './entity-state-row.ts'
import { readPulledRow } from './oplog-row.ts'
import { scanRows } from './raw-scan.ts'

export interface SnapshotPageRequest {
  readonly dbId: string
  /** The page begins behind this key of `entities`; undefined: with the first one. */
  readonly after: string | undefined
  readonly opsMax: number
  readonly bytesMax: number
}

export interface SnapshotPage {
  /** Encoded operations. */
  readonly ops: readonly Uint8Array[]
  /** Key of its last entity; undefined: there are no more. */
  readonly after: string | undefined
}

const ENTITIES = {
  collection: 'entities' as const,
  read: readEntityState,
  keyOf: ({ collection, entityId }: EntityState) => entityKey(collection, entityId),
}

/** At least one entity, however large it is, where there is one. */
export async function readSnapshotPage(
  reader: ServerReader,
  { dbId, after, opsMax, bytesMax }: SnapshotPageRequest,
): Promise<SnapshotPage> {
  const states: EntityState[] = []
  let bytes = 0
  for await (const rows of scanRows(reader, ENTITIES, after)) {
    for (const state of rows) {
      bytes += state.entityCbor?.length ?? 0
      const last = states.at(-1)
      if (last !== undefined && (states.length === opsMax || bytes > bytesMax)) {
        return { ops: await operationsOf(reader, dbId, states), after: ENTITIES.keyOf(last) }
      }
      states.push(state)
    }
  }
  return { ops: await operationsOf(reader, dbId, states), after: undefined }
}

async function operationsOf(
  reader: ServerReader,
  dbId: string,
  states: EntityState[],
): Promise<readonly Uint8Array[]> {
  states.sort((a, b) => a.entityVersion - b.entityVersion)
  const operations: Uint8Array[] = []
  for (const state of states) {
    const { sourceOpId, timestampMs } =
      state.sourceOpId === undefined ? await sourceOf(reader, state) : state
    operations.push(encodeSyncOperation(operationOf(dbId, state, sourceOpId, timestampMs)))
  }
  return operations
}

/** Rows of old databases do not say it: the newest operation of an entity is always in the oplog. */
async function sourceOf(
  reader: ServerReader,
  { entityVersion }: EntityState,
): Promise<Pick<EntityState, 'sourceOpId' | 'timestampMs'>> {
  const [row] = await reader
    .collection('server_oplog')
    .nextRaw({ after: sortableNumber(entityVersion - 1), limit: 1 })
  if (row === undefined) return {}
  const { opId, timestampMs } = decodeSyncOperation(readPulledRow(row.bytes).operationCbor)
  return { sourceOpId: opId, ...(timestampMs === undefined ? {} : { timestampMs }) }
}

/** Without its group: the others of it may be in other pages. */
function operationOf(
  dbId: string,
  { collection, entityId, entityVersion, entityCbor, updatedByDevice, schemaVersion }: EntityState,
  opId = 0,
  timestampMs?: number,
): SyncOperation {
  return {
    dbId,
    deviceId: updatedByDevice,
    opId,
    collection,
    entityId,
    opType: entityCbor === null ? 'DELETE' : 'PUT',
    entityVersion,
    entityCbor,
    ...(timestampMs === undefined ? {} : { timestampMs }),
    ...(schemaVersion === 1 ? {} : { schemaVersion }),
  }
}
