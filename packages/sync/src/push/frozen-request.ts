/** The frozen batch as requests: which of its operations go next, and their exact bytes. */

import { assertInvariant } from '@entidb/core'
import { encodePushRequestFromOps, encodeSyncOperation } from '@entidb/protocol'
import type { Engine, FeedRow } from '../state/engine.ts'
import type { FrozenOp, FrozenRow, StateRow } from '../state/rows.ts'

export type FrozenContents = ReadonlyMap<number, FeedRow>

/** The operations of the next request: all of them, or those of the first groups. */
export function nextRequestOps({ ops, groupsMax }: FrozenRow): readonly FrozenOp[] {
  if (groupsMax === null) return ops
  const groups = new Set<number>()
  for (const { group } of ops) {
    if (groups.size < groupsMax) groups.add(group)
  }
  return ops.filter(({ group }) => groups.has(group))
}

export function countGroups(ops: readonly FrozenOp[]): number {
  return new Set(ops.map(({ group }) => group)).size
}

/** The same bytes for the same frozen operations, however often. */
export function encodeFrozenRequest(
  state: StateRow,
  frozen: FrozenRow,
  ops: readonly Uint8Array[],
  replicaId: Uint8Array,
): Uint8Array {
  return encodePushRequestFromOps({
    dbId: state.dbId,
    deviceId: frozen.deviceId,
    replicaId,
    sinceCursor: state.cursor,
    ...(state.epoch === null ? {} : { epoch: state.epoch }),
    ops,
  })
}

export function encodeFrozenOps(
  dbId: string,
  deviceId: string,
  ops: readonly FrozenOp[],
  contents: FrozenContents,
): readonly Uint8Array[] {
  return ops.map((op) => encodeFrozenOp(dbId, deviceId, op, contentOf(contents, op)))
}

function encodeFrozenOp(dbId: string, deviceId: string, op: FrozenOp, row: FeedRow): Uint8Array {
  return encodeSyncOperation({
    opId: op.opId,
    dbId,
    deviceId,
    collection: op.collection,
    entityId: op.entityId,
    opType: row.payloadCbor === null ? 'DELETE' : 'PUT',
    entityVersion: op.base,
    entityCbor: row.payloadCbor,
    timestampMs: row.timestampMs,
    tx: op.group,
    ...(row.schemaVersion === 1 ? {} : { schemaVersion: row.schemaVersion }),
  })
}

export function contentOf(contents: FrozenContents, op: FrozenOp): FeedRow {
  const row = contents.get(op.localOpId)
  assertInvariant(row !== undefined, `the change feed lost frozen operation ${op.localOpId}`)
  return row
}

/** Reads the contents back from the change feed, which keeps them until the batch is decided. */
export async function readFrozenContents(
  engine: Engine,
  frozen: FrozenRow,
): Promise<FrozenContents> {
  const wanted = new Set(frozen.ops.map(({ localOpId }) => localOpId))
  const last = Math.max(...wanted)
  const contents = new Map<number, FeedRow>()
  let after = frozen.feedAfter
  while (after < last) {
    const rows = await engine.readFeed({ after, opsMax: 2_000, bytesMax: 4 * 1024 * 1024 })
    for (const row of rows) if (wanted.has(row.opId)) contents.set(row.opId, row)
    const next = rows.at(-1)?.opId
    assertInvariant(next !== undefined, 'the change feed ends before the frozen batch')
    after = next
  }
  return contents
}
