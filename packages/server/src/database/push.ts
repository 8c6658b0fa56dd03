/** One push, in one transaction. `docs/protocol.md` numbers the steps. */
import {
  assertPushRequest,
  type CommittedOp,
  encodeContentForHash,
  type PushRequest,
  type PushResponse,
  type RejectedOp,
  type SyncOperation,
} from '@entidb/protocol'
import type { ServerLimits } from '../limits.ts'
import { cursorAhead, opIdReused, tooLarge } from '../wire-error.ts'
import { readAccepted } from './accepted-ops.ts'
import type { AcceptedOpRow, DeviceRow, MetaRow, ServerTransaction } from './collections.ts'
import {
  assertNotSuperseded,
  assertOwnedBy,
  newDevice,
  ownedBy,
  readDevice,
  withSeen,
} from './devices.ts'
import { sha256 } from './digest-sum.ts'
import { assertEpoch } from './epoch-check.ts'
import { isSameBytes, readMeta } from './meta.ts'
import type { Permissions } from './permissions.ts'
import type { Policy } from './policy.ts'
import { type FreshOperation, readCandidates } from './push-candidates.ts'
import { conflictOf, readConflicts } from './push-conflicts.ts'
import { type Decision, decidePush } from './push-decision.ts'
import { writeDecisions } from './push-write.ts'

export interface PushContext {
  readonly limits: ServerLimits
  readonly policy: Policy
  readonly permissions: Permissions
  /** Whom new deviceIds belong to; undefined: nobody. */
  readonly subject: string | undefined
  readonly nowMs: number
}

/**
 * Errors: `device_conflict`, `epoch_mismatch`, `cursor_ahead`, `invalid_request`, `too_large`,
 * `op_id_reused`; each leaves nothing written.
 */
export async function runPush(
  tx: ServerTransaction,
  request: PushRequest,
  context: PushContext,
): Promise<PushResponse> {
  const { deviceId, ops } = request
  const meta = await readMeta(tx)
  const known = await readDevice(tx, deviceId)
  assertOwnedBy(known, context.subject)
  await assertNotSuperseded(tx, deviceId, known, request.replicaId)
  await assertEpoch(tx, meta, request.epoch)
  if ((request.sinceCursor ?? 0) > meta.head) throw cursorAhead()
  if (ops.length > context.limits.maxOpsPerPush) {
    throw tooLarge('The number of operations', context.limits.maxOpsPerPush)
  }
  assertPushRequest(request)

  const device = ownedBy(known ?? newDevice(deviceId, meta), context.subject)
  const hashes = ops.map((operation) => sha256(encodeContentForHash(operation)))
  const accepted = await readAccepted(tx, deviceId, ops)
  assertSameContent(hashes, accepted, device)
  const candidates = await readCandidates(tx, freshOperations(ops, hashes, accepted), context)
  const decisions = decidePush(candidates, device.floor)
  const conflicts = await readConflicts(tx, decisions, context.limits.maxConflictBytes)
  const written = await writeDecisions(tx, decisions, {
    meta,
    device,
    conflicts,
    nowMs: context.nowMs,
  })
  await writeDevice(tx, request, device, meta, context.nowMs)
  return {
    acknowledgedUpToOpId: ops.at(-1)?.opId ?? device.lastOpId,
    conflicts: conflicts.map(conflictOf),
    committed: [...repeatedOps(ops, accepted), ...written.committed].sort(byOpId),
    rejected: decisions
      .filter((each) => each.kind === 'rejected')
      .map(rejectionOf)
      .sort(byOpId),
    headBefore: meta.head,
    head: written.head,
    purgedThrough: meta.purgedThrough,
  }
}

function assertSameContent(
  hashes: readonly Uint8Array[],
  accepted: readonly (AcceptedOpRow | undefined)[],
  device: DeviceRow,
): void {
  for (const [index, row] of accepted.entries()) {
    const hash = hashes[index]
    if (row !== undefined && hash !== undefined && !isSameBytes(row.contentHash, hash)) {
      throw opIdReused(device.lastOpId)
    }
  }
}

function freshOperations(
  ops: readonly SyncOperation[],
  hashes: readonly Uint8Array[],
  accepted: readonly (AcceptedOpRow | undefined)[],
): FreshOperation[] {
  return ops.flatMap((operation, index) => {
    const contentHash = hashes[index]
    return contentHash === undefined || accepted[index] !== undefined
      ? []
      : [{ operation, contentHash }]
  })
}

async function writeDevice(
  tx: ServerTransaction,
  request: PushRequest,
  device: DeviceRow,
  meta: MetaRow,
  nowMs: number,
): Promise<void> {
  const [first, last] = [request.ops.at(0), request.ops.at(-1)]
  if (first === undefined || last === undefined) return
  const { forgottenBelow = 0 } = device
  await tx.collection('device_state').put({
    ...withSeen(device, meta, request.sinceCursor, nowMs),
    // No-ops are recorded below the floor, too.
    ...(first.opId < forgottenBelow ? { forgottenBelow: first.opId } : {}),
    floor: Math.max(device.floor, first.opId),
    lastOpId: Math.max(device.lastOpId, last.opId),
  })
}

function repeatedOps(
  ops: readonly SyncOperation[],
  accepted: readonly (AcceptedOpRow | undefined)[],
): CommittedOp[] {
  return ops.flatMap(({ opId }, index) => {
    const row = accepted[index]
    return row === undefined ? [] : [{ opId, entityVersion: row.revision }]
  })
}

function rejectionOf({ candidate, refusal }: Decision & { readonly kind: 'rejected' }): RejectedOp {
  return { opId: candidate.operation.opId, code: refusal.code, message: refusal.message }
}

function byOpId(a: { readonly opId: number }, b: { readonly opId: number }): number {
  return a.opId - b.opId
}
