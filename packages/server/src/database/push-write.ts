/** Writes what was decided. Cursors are assigned group by group, so that a group is never torn apart. */
import { type EncodedEntity, putEncodedEntities } from '@entidb/core/tools'
import { type CommittedOp, encodeSyncOperation, type SyncOperation } from '@entidb/protocol'
import { CollectionTotals } from './collection-totals.ts'
import {
  type AcceptedOpRow,
  type DeviceRow,
  type EntityRow,
  entityKey,
  type MetaRow,
  type OplogRow,
  operationKey,
  type ServerTransaction,
  sortableNumber,
  type TombstoneRow,
} from './collections.ts'
import { conflictRow, type MetConflict } from './push-conflicts.ts'
import type { Candidate, Decision, Group } from './push-decision.ts'
import { encodeAcceptedOpRow, encodeEntityRow, encodeOplogRow } from './row-encoding.ts'

export interface WriteContext {
  readonly meta: MetaRow
  readonly device: DeviceRow
  readonly conflicts: readonly MetConflict[]
  readonly nowMs: number
}

export interface WrittenPush {
  /** In the order of the decisions. */
  readonly committed: readonly CommittedOp[]
  readonly head: number
}

/**
 * A group's number in pulls: distinct from its neighbours', whatever the client called it, also from those that
 * compaction makes its neighbours. Each epoch raises cursors by 2^28, so the bare remainder would come again after 16.
 */
const GROUP_NUMBERS = 2 ** 32
const TURN_STRIDE = 0x9e3779b1

export async function writeDecisions(
  tx: ServerTransaction,
  decisions: readonly Decision[],
  context: WriteContext,
): Promise<WrittenPush> {
  const rows = collectRows(decisions, context)
  await putEncodedEntities(tx, 'entities', encodedRows(rows.entities, encodeEntityRow))
  await putEncodedEntities(tx, 'server_oplog', encodedRows(rows.oplog, encodeOplogRow))
  await tx.collection('tombstones').putMany(rows.tombstones)
  await putEncodedEntities(tx, 'accepted_ops', encodedRows(rows.accepted, encodeAcceptedOpRow))
  await tx
    .collection('conflicts')
    .putMany(context.conflicts.map((conflict) => conflictRow(conflict, context.nowMs)))
  await forgetConflicts(tx, rows.committed, context.device)
  await rows.totals.write(tx)
  if (rows.head > context.meta.head) {
    const superseded = (context.meta.superseded ?? 0) + rows.superseded
    await tx.collection('meta').put({ ...context.meta, head: rows.head, superseded })
  }
  return { committed: rows.committed, head: rows.head }
}

function encodedRows<Row extends { readonly id: string }>(
  rows: readonly Row[],
  encode: (row: Row) => Uint8Array,
): EncodedEntity[] {
  return rows.map((entity) => ({ entity, bytes: encode(entity) }))
}

interface Rows {
  readonly entities: EntityRow[]
  readonly oplog: OplogRow[]
  readonly tombstones: TombstoneRow[]
  readonly accepted: AcceptedOpRow[]
  readonly committed: CommittedOp[]
  readonly totals: CollectionTotals
  head: number
  /** Rows of the oplog that those of this push supersede. */
  superseded: number
}

function collectRows(decisions: readonly Decision[], context: WriteContext): Rows {
  const rows: Rows = {
    entities: [],
    oplog: [],
    tombstones: [],
    accepted: [],
    committed: [],
    totals: new CollectionTotals(),
    head: context.meta.head,
    superseded: 0,
  }
  const numbers = new Map<Group, number>()
  for (const decision of decisions) {
    if (decision.kind === 'accepted') {
      const revision = ++rows.head
      const number = groupNumber(decision.group, revision, numbers)
      addAccepted(rows, decision.candidate, number, context.nowMs)
    } else if (decision.kind === 'noop') {
      addCommitted(rows, decision.candidate, decision.revision, true)
    }
  }
  return rows
}

function addAccepted(
  rows: Rows,
  candidate: Candidate,
  group: number | undefined,
  nowMs: number,
): void {
  const { operation, current } = candidate
  const revision = rows.head
  const entity = entityRow(operation, revision)
  rows.entities.push(entity)
  rows.totals.replace(current?.digest, entity)
  rows.oplog.push(oplogRow(operation, revision, group, current?.entityVersion))
  if (current !== undefined) rows.superseded++
  if (entity.deleted) {
    rows.tombstones.push({ id: sortableNumber(revision), entity: entity.id, deletedAt: nowMs })
  }
  addCommitted(rows, candidate, revision, false)
}

function addCommitted(rows: Rows, candidate: Candidate, revision: number, noop: boolean): void {
  const { operation, contentHash } = candidate
  const id = operationKey(operation.deviceId, operation.opId)
  rows.accepted.push({ id, contentHash, revision, noop })
  rows.committed.push({ opId: operation.opId, entityVersion: revision })
}

function groupNumber(
  group: Group,
  revision: number,
  numbers: Map<Group, number>,
): number | undefined {
  if (!group.named) return undefined
  const turn = Math.floor(revision / GROUP_NUMBERS)
  const own = (revision + ((turn * TURN_STRIDE) % GROUP_NUMBERS)) % GROUP_NUMBERS
  const number = numbers.get(group) ?? own
  numbers.set(group, number)
  return number
}

function entityRow(operation: SyncOperation, revision: number): EntityRow {
  const { collection, entityId, entityCbor, deviceId, timestampMs } = operation
  const row: Writable<EntityRow> = {
    id: entityKey(collection, entityId),
    collection,
    entityId,
    entityVersion: revision,
    entityCbor,
    deleted: entityCbor === null,
    updatedByDevice: deviceId,
    schemaVersion: operation.schemaVersion ?? 1,
    sourceOpId: operation.opId,
  }
  if (timestampMs !== undefined) row.timestampMs = timestampMs
  return row
}

function oplogRow(
  operation: SyncOperation,
  revision: number,
  tx: number | undefined,
  replaces: number | undefined,
): OplogRow {
  const row: Writable<OplogRow> = {
    id: sortableNumber(revision),
    serverCursor: revision,
    dbId: operation.dbId,
    collection: operation.collection,
    entityId: operation.entityId,
    opType: operation.opType,
    sourceDeviceId: operation.deviceId,
    sourceOpId: operation.opId,
    operationCbor: encodeSyncOperation(pulledOperation(operation, revision, tx)),
  }
  if (tx !== undefined) row.tx = tx
  if (replaces !== undefined) row.replaces = replaces
  return row
}

/** As pulls send it. Field by field: spreading each operation takes longer than encoding it. */
function pulledOperation(
  operation: SyncOperation,
  revision: number,
  tx: number | undefined,
): SyncOperation {
  const { timestampMs, schemaVersion } = operation
  const pulled: Writable<SyncOperation> = {
    opId: operation.opId,
    dbId: operation.dbId,
    deviceId: operation.deviceId,
    collection: operation.collection,
    entityId: operation.entityId,
    opType: operation.opType,
    entityVersion: revision,
    entityCbor: operation.entityCbor,
  }
  if (timestampMs !== undefined) pulled.timestampMs = timestampMs
  if (tx !== undefined) pulled.tx = tx
  if (schemaVersion !== undefined) pulled.schemaVersion = schemaVersion
  return pulled
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** An operation that was sent before and met a conflict may be accepted now: the later answer counts. */
async function forgetConflicts(
  tx: ServerTransaction,
  committed: readonly CommittedOp[],
  device: DeviceRow,
): Promise<void> {
  const conflicts = tx.collection('conflicts')
  for (const { opId } of committed) {
    if (opId <= device.lastOpId) await conflicts.delete(operationKey(device.deviceId, opId))
  }
}
