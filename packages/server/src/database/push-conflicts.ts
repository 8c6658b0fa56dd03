/** The conflicts of a push, with the states of the server that they show: as they are answered, and as they are kept. */
import { type Conflict, encodeSyncOperation, type SyncOperation } from '@entidb/protocol'
import { tooLarge } from '../wire-error.ts'
import { type ConflictRow, type EntityRow, operationKey, type ServerReader } from './collections.ts'
import { readEntities } from './push-candidates.ts'
import type { Decision } from './push-decision.ts'

export interface MetConflict {
  readonly operation: SyncOperation
  readonly reason: 'stale' | 'group'
  /** Undefined: never seen, or purged. */
  readonly current: EntityRow | undefined
}

/** A larger state is only named by its revision in what is kept: a few bytes pushed could become any number on disk. */
const KEPT_BYTES_MAX = 4 * 1024

/**
 * By opId. Before anything is written. Error: `too_large` when they show more than `bytesMax` bytes of entities; the client
 * sends fewer operations then, and one conflict alone is always answered.
 */
export async function readConflicts(
  reader: ServerReader,
  decisions: readonly Decision[],
  bytesMax: number,
): Promise<readonly MetConflict[]> {
  const conflicts = decisions.filter((each) => each.kind === 'conflict')
  const bytes = conflicts.reduce((sum, { candidate }) => sum + (candidate.current?.bytes ?? 0), 0)
  if (bytes > bytesMax && conflicts.length > 1) {
    throw tooLarge('What the server has of entities in conflict, in bytes,', bytesMax)
  }
  const met = conflicts
    .map(({ candidate, reason }) => ({ operation: candidate.operation, reason }))
    .sort((a, b) => a.operation.opId - b.operation.opId)
  if (met.length === 0) return []
  const rows = await readEntities(reader, met)
  return met.map((each, index) => ({ ...each, current: rows[index] }))
}

export function conflictOf({ operation, reason, current }: MetConflict): Conflict {
  return {
    collection: operation.collection,
    entityId: operation.entityId,
    clientOp: operation,
    serverState: {
      entityVersion: current?.entityVersion ?? 0,
      entityCbor: current?.entityCbor ?? null,
      ...(current === undefined || current.schemaVersion === 1
        ? {}
        : { schemaVersion: current.schemaVersion }),
    },
    reason,
  }
}

export function conflictRow(
  { operation, reason, current }: MetConflict,
  nowMs: number,
): ConflictRow {
  const entityCbor = current?.entityCbor ?? null
  const isKept = entityCbor === null || entityCbor.length <= KEPT_BYTES_MAX
  return {
    id: operationKey(operation.deviceId, operation.opId),
    dbId: operation.dbId,
    collection: operation.collection,
    entityId: operation.entityId,
    clientOpCbor: encodeSyncOperation(operation),
    serverEntityVersion: current?.entityVersion ?? 0,
    ...(isKept ? { serverEntityCbor: entityCbor } : { serverEntityBytes: entityCbor.length }),
    reason,
    detectedAt: nowMs,
  }
}
