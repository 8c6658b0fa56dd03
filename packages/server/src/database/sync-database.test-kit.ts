/** A SyncDatabase in memory, and operations to push into it. */
import { memoryStorage, type Storage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import {
  decodeSyncOperation,
  type PullRequest,
  type PushRequest,
  type PushResponse,
  type SyncOperation,
} from '@entidb/protocol'
import type { Identity } from '../auth/identity.ts'
import { resolveLimits, type ServerLimits } from '../limits.ts'
import { silentLogger } from '../logger.ts'
import type { Timers } from '../timers.ts'
import { HeadListeners } from './head-listeners.ts'
import type { Policy } from './policy.ts'
import { SyncDatabase } from './sync-database.ts'

export const dbId = 'shop'
export const deviceA = 'device-a'
export const deviceB = 'device-b'

export const writer: Identity = { subject: 'ada', databases: '*', access: 'write' }
export const reader: Identity = { subject: 'bob', databases: '*', access: 'read' }

export interface TestDatabaseOptions {
  readonly storage?: Storage
  readonly limits?: Partial<ServerLimits>
  readonly policy?: Policy
  readonly clock?: () => number
  readonly retentionMs?: number
  readonly timers?: Timers
  readonly dbId?: string
  readonly create?: boolean
  readonly bindDevices?: boolean
}

/** Housekeeping runs when a test asks for it. */
const onlyPauses: Timers = {
  set(callback, delayMs) {
    if (delayMs === 0) queueMicrotask(callback)
    return () => {}
  },
}

/** Epochs are numbered across all databases of a test file, so that no two are alike. */
let epochs = 0

export function openTestDatabase(options: TestDatabaseOptions = {}): Promise<SyncDatabase> {
  return SyncDatabase.open({
    dbId: options.dbId ?? dbId,
    storage: options.storage ?? memoryStorage(),
    limits: resolveLimits(options.limits),
    policy: options.policy ?? {},
    logger: silentLogger,
    clock: options.clock ?? (() => 1_700_000_000_000),
    timers: options.timers ?? onlyPauses,
    retentionMs: options.retentionMs ?? 1_000,
    randomBytes: (count) => {
      epochs++
      return Uint8Array.from({ length: count }, (_, i) => (i === 0 ? epochs & 0xff : epochs >> 8))
    },
    create: options.create ?? true,
    bindDevices: options.bindDevices ?? false,
    heads: new HeadListeners(),
    onFailed: () => {},
  })
}

type Extras = Partial<Omit<SyncOperation, 'opType' | 'entityCbor'>>

/** A PUT of `{ id, value }` made on revision `base`. */
export function put(
  opId: number,
  entityId: string,
  base: number,
  value: unknown,
  extras: Extras = {},
): SyncOperation {
  return {
    opId,
    dbId,
    deviceId: deviceA,
    collection: 'items',
    entityId,
    opType: 'PUT',
    entityVersion: base,
    entityCbor: encodeEntity({ id: entityId, value }),
    ...extras,
  }
}

export function remove(
  opId: number,
  entityId: string,
  base: number,
  extras: Extras = {},
): SyncOperation {
  return { ...put(opId, entityId, base, null, extras), opType: 'DELETE', entityCbor: null }
}

export function pushRequest(
  ops: readonly SyncOperation[],
  extras: Partial<PushRequest> = {},
): PushRequest {
  return { dbId, deviceId: ops[0]?.deviceId ?? deviceA, ops, ...extras }
}

export function push(
  database: SyncDatabase,
  ops: readonly SyncOperation[],
  extras: Partial<PushRequest> = {},
): Promise<PushResponse> {
  return database.push(pushRequest(ops, extras), writer)
}

/** One page, its operations decoded. */
export async function pull(
  database: SyncDatabase,
  extras: Partial<PullRequest> = {},
  identity: Identity = writer,
): Promise<{ ops: SyncOperation[]; nextCursor: number; hasMore: boolean }> {
  const page = await database.pull({ dbId, sinceCursor: 0, ...extras }, identity)
  return { ...page, ops: page.ops.map((bytes) => decodeSyncOperation(bytes)) }
}

/** The fate of every operation by opId: a revision, the reason of a conflict, or the code of a rejection. */
export function fates(response: PushResponse): Record<number, number | string> {
  const result: Record<number, number | string> = {}
  for (const { opId, entityVersion } of response.committed ?? []) result[opId] = entityVersion
  for (const { clientOp, reason } of response.conflicts) result[clientOp.opId] = reason ?? ''
  for (const { opId, code } of response.rejected ?? []) result[opId] = code
  return result
}

/** The revision that `response` gave an operation. */
export function revisionOf(response: PushResponse, opId: number): number {
  const committed = response.committed?.find((op) => op.opId === opId)
  if (committed === undefined) throw new Error(`operation ${opId} was not committed`)
  return committed.entityVersion
}

/** Bytes that are no entity. */
export const unsoundBytes: Uint8Array = Uint8Array.of(0xff)

export function isSound(operation: SyncOperation): boolean {
  return operation.entityCbor === null || operation.entityCbor[0] !== unsoundBytes[0]
}
