/** The conflicts of a push, with the states of the server that they show: as they are answered, and as they are kept. */
import { type Conflict, encodeSyncOperation, type SyncOperation } from '@entidb/protocol'
import { type ConflictRow, type EntityRow, operationKey, type ServerReader } from './collections.ts'
import { readEntities } from './push-candidates.ts'
import type { Decision } from './push-decision.ts'

export interface MetConflict {
  readonly operation: SyncOperation
  readonly reason: 'stale' | 'group'
  /** Undefined: never seen, or purged. */
  readonly current: EntityRow | undefined
}

/** By opId. Before anything is written. */
export async function readConflicts(
  reader: ServerReader,
  decisions: readonly Decision[],
): Promise<readonly MetConflict[]> {
  const met = decisions
    .filter((each) => each.kind === 'conflict')
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
  return {
    id: operationKey(operation.deviceId, operation.opId),
    dbId: operation.dbId,
    collection: operation.collection,
    entityId: operation.entityId,
    clientOpCbor: encodeSyncOperation(operation),
    serverEntityVersion: current?.entityVersion ?? 0,
    serverEntityCbor: current?.entityCbor ?? null,
    reason,
    detectedAt: nowMs,
  }
}
