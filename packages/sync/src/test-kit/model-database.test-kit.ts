/**
 * The server's side of the protocol for one database, as naively as it can be said: plain maps, linear
 * searches, no storage. The oracle that the client's tests run against, and a target for faults.
 */
import { EntiDBError } from '@entidb/core'
import {
  addDigests,
  type CommittedOp,
  type Conflict,
  DEFAULT_LIMITS,
  EPOCH_STRIDE,
  emptyDigest,
  encodeContentForHash,
  entityDigest,
  type HandshakeRequest,
  type HandshakeResponse,
  type HistoryEntry,
  type Limits,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
  type RejectedOp,
  type ServerState,
  type SyncOperation,
  type VerifyRequest,
  type VerifyResponse,
} from '@entidb/protocol'
import { entityRef } from '../entity-ref.ts'
import { sameBytes } from '../same-bytes.ts'

export interface ModelOptions {
  readonly limits?: Partial<Limits>
  /** No extensions: no epochs, groups, committed, rejected, limits. */
  readonly simple?: boolean
  /** Undefined: accepted. */
  readonly policy?: (
    op: SyncOperation,
  ) => { readonly code: string; readonly message: string } | undefined
}

interface DeviceState {
  floor: number
  lastOpId: number
  replica: string | undefined
  superseded: string[]
}

interface AcceptedOp {
  readonly hash: string
  readonly revision: number
}

interface ModelState {
  head: number
  history: HistoryEntry[]
  entities: Map<string, ServerState>
  oplog: SyncOperation[]
  accepted: Map<string, AcceptedOp>
  devices: Map<string, DeviceState>
  purgedThrough: number
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
let epochs = 0

export class ModelDatabase {
  readonly limits: Limits
  options: ModelOptions
  scope = 'everything'
  #state: ModelState
  #epochDue = true

  constructor(options: ModelOptions = {}) {
    this.options = options
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#state = {
      head: 0,
      history: [],
      entities: new Map(),
      oplog: [],
      accepted: new Map(),
      devices: new Map(),
      purgedThrough: 0,
    }
    this.beginEpoch()
    this.#epochDue = false
  }

  get head(): number {
    return this.#state.head
  }

  get oplog(): readonly SyncOperation[] {
    return this.#state.oplog
  }

  /** Live entities by key. */
  live(): ReadonlyMap<string, Uint8Array> {
    const live = new Map<string, Uint8Array>()
    for (const [key, { entityCbor }] of this.#state.entities) {
      if (entityCbor !== null) live.set(key, entityCbor)
    }
    return live
  }

  /** A copy of everything, as a backup. */
  backup(): ModelState {
    return structuredClone(this.#state)
  }

  /** Back to a backup, as files are copied back: the next push begins a new epoch. */
  restore(backup: ModelState): void {
    this.#state = structuredClone(backup)
    this.#epochDue = true
  }

  /** As after opening the database again. */
  reopen(): void {
    this.#epochDue = true
  }

  beginEpoch(): void {
    const state = this.#state
    epochs += 1
    const epoch = new Uint8Array(16)
    new DataView(epoch.buffer).setUint32(0, epochs)
    const firstCursor = state.head + 1
    state.head = (Math.floor(state.head / EPOCH_STRIDE) + 1) * EPOCH_STRIDE
    state.history = [
      ...state.history.filter((entry) => entry.firstCursor !== firstCursor),
      { epoch, firstCursor },
    ]
    this.#epochDue = false
  }

  /** Keeps only the newest operation of each entity. */
  compact(): void {
    const newest = new Map(this.#state.oplog.map((op) => [keyOf(op), op]))
    this.#state.oplog = this.#state.oplog.filter((op) => newest.get(keyOf(op)) === op)
  }

  /** Forgets every delete up to the head. */
  purge(): void {
    const state = this.#state
    this.compact()
    state.oplog = state.oplog.filter((op) => op.opType === 'PUT')
    for (const [key, { entityCbor }] of state.entities) {
      if (entityCbor === null) state.entities.delete(key)
    }
    state.purgedThrough = state.head
  }

  handshake(request: HandshakeRequest): HandshakeResponse {
    this.#assertReplica(request.deviceId, request.replicaId, true)
    const { head, history, entities, purgedThrough } = this.#state
    const capabilities = { pull: true, push: true, sse: true }
    if (this.options.simple === true) return { serverCursor: head, capabilities }
    const counts: Record<string, number> = {}
    for (const [key, { entityCbor }] of entities) {
      const [collection = ''] = key.split('/')
      if (entityCbor !== null) counts[collection] = (counts[collection] ?? 0) + 1
    }
    const { lastOpId } = this.#device(request.deviceId)
    return {
      serverCursor: head,
      capabilities: { ...capabilities, groups: true, rejections: true, digest: true },
      protocol: [1, 0],
      epoch: this.#epoch,
      history,
      lastOpId,
      limits: this.limits,
      counts,
      scope: this.scope,
      purgedThrough,
    }
  }

  verify({ cursor, digest }: VerifyRequest): VerifyResponse {
    if (cursor !== this.head) throw refusal('cursor_moved')
    const collections = digestsOf(this.#state.entities)
    const total = Object.values(collections).reduce(addDigests, emptyDigest())
    return sameBytes(total, digest) ? { match: true } : { match: false, collections }
  }

  /** Behind everyone's back; absent with version 0. */
  tamper(collection: string, entityId: string, state: ServerState): void {
    const key = `${collection}/${entityId}`
    const before = this.#state.oplog.findLast((op) => keyOf(op) === key)
    this.#state.oplog = this.#state.oplog.filter((op) => keyOf(op) !== key)
    this.#state.entities.delete(key)
    if (before === undefined || state.entityVersion === 0) return
    this.#state.entities.set(key, state)
    const opType = state.entityCbor === null ? 'DELETE' : 'PUT'
    this.#state.oplog.push({ ...before, ...state, opType })
    this.#state.oplog.sort((a, b) => a.entityVersion - b.entityVersion)
  }

  pull(request: PullRequest): PullResponse {
    if (request.deviceId !== undefined) this.#assertReplica(request.deviceId, request.replicaId)
    if (request.sinceCursor > this.head && this.#epochDue) this.beginEpoch()
    this.#assertEpoch(request.epoch)
    const { head, oplog, purgedThrough } = this.#state
    if (request.sinceCursor > head) throw refusal('cursor_ahead')
    if (request.sinceCursor > 0 && request.sinceCursor < purgedThrough) {
      throw refusal('cursor_expired')
    }
    const after = oplog.filter((op) => op.entityVersion > request.sinceCursor)
    const limit = Math.min(request.limit ?? this.limits.maxPullOps, this.limits.maxPullOps)
    let count = Math.min(limit, after.length)
    while (count < after.length && sameGroup(after[count - 1], after[count])) count += 1
    const ops = after.slice(0, count)
    const nextCursor = count < after.length ? (ops.at(-1)?.entityVersion ?? head) : head
    const page = { ops, nextCursor, hasMore: nextCursor < head }
    return this.options.simple === true ? page : { ...page, head, purgedThrough }
  }

  push(request: PushRequest): PushResponse {
    this.#assertReplica(request.deviceId, request.replicaId)
    if (this.#epochDue) this.beginEpoch()
    this.#assertEpoch(request.epoch)
    if (request.ops.length > this.limits.maxOpsPerPush) throw refusal('too_large')
    const state = this.#state
    const headBefore = state.head
    const device = this.#device(request.deviceId)
    const duplicates = this.#duplicates(request)
    const committed: CommittedOp[] = [...duplicates]
    const conflicts: Conflict[] = []
    const rejected: RejectedOp[] = []
    const known = new Set(duplicates.map(({ opId }) => opId))
    for (const ops of this.#groups(request.ops.filter(({ opId }) => !known.has(opId)))) {
      const refusals = new Map(
        ops.flatMap((op) => {
          const reason = this.options.policy?.(op)
          return reason === undefined ? [] : [[op.opId, reason] as const]
        }),
      )
      if (refusals.size > 0) {
        for (const { opId } of ops) {
          const reason = refusals.get(opId) ?? { code: 'group', message: 'goes with another' }
          rejected.push({ opId, ...reason })
        }
        continue
      }
      const isStale = (op: SyncOperation): boolean =>
        !this.#isNoOp(op) &&
        (op.opId < device.floor || op.entityVersion !== this.#current(op).entityVersion)
      const stale = ops.some(isStale)
      for (const op of ops) {
        if (this.#isNoOp(op)) committed.push(this.#accept(op, this.#current(op).entityVersion))
        else if (!stale) committed.push(this.#commit(op))
        else {
          const { collection, entityId } = op
          const reason = isStale(op) ? ('stale' as const) : ('group' as const)
          const serverState = this.#current(op)
          conflicts.push({ collection, entityId, clientOp: op, serverState, reason })
        }
      }
    }
    const first = request.ops[0]?.opId
    const last = request.ops.at(-1)?.opId ?? device.lastOpId
    if (first !== undefined) device.floor = Math.max(device.floor, first)
    device.lastOpId = Math.max(device.lastOpId, last)
    const byOpId = (a: { opId: number }, b: { opId: number }): number => a.opId - b.opId
    conflicts.sort((a, b) => byOpId(a.clientOp, b.clientOp))
    if (this.options.simple === true) {
      const bare = conflicts.map(({ reason: _, ...conflict }) => conflict)
      return { acknowledgedUpToOpId: last, conflicts: bare }
    }
    return {
      acknowledgedUpToOpId: last,
      conflicts,
      committed: committed.sort(byOpId),
      rejected: rejected.sort(byOpId),
      headBefore,
      head: state.head,
      purgedThrough: state.purgedThrough,
    }
  }

  get #epoch(): Uint8Array {
    return this.#state.history.at(-1)?.epoch ?? new Uint8Array(16)
  }

  #assertEpoch(epoch: Uint8Array | undefined): void {
    if (epoch === undefined || sameBytes(epoch, this.#epoch)) return
    throw refusal('epoch_mismatch', { history: this.#state.history })
  }

  #assertReplica(deviceId: string, replicaId: Uint8Array | undefined, takesOver = false): void {
    if (replicaId === undefined || this.options.simple === true) return
    const device = this.#device(deviceId)
    const replica = hex(replicaId)
    if (device.superseded.includes(replica)) throw refusal('device_conflict')
    if (device.replica === replica) return
    if (device.replica !== undefined && !takesOver) throw refusal('device_conflict')
    if (device.replica !== undefined) device.superseded.push(device.replica)
    device.replica = replica
  }

  #device(deviceId: string): DeviceState {
    const known = this.#state.devices.get(deviceId)
    if (known !== undefined) return known
    const device = { floor: 0, lastOpId: 0, replica: undefined, superseded: [] }
    this.#state.devices.set(deviceId, device)
    return device
  }

  #duplicates(request: PushRequest): CommittedOp[] {
    return request.ops.flatMap((op) => {
      const accepted = this.#state.accepted.get(`${op.deviceId}/${op.opId}`)
      if (accepted === undefined) return []
      if (accepted.hash !== hex(encodeContentForHash(op))) {
        throw refusal('op_id_reused', { lastOpId: this.#device(op.deviceId).lastOpId })
      }
      return [{ opId: op.opId, entityVersion: accepted.revision }]
    })
  }

  #groups(ops: readonly SyncOperation[]): readonly (readonly SyncOperation[])[] {
    const groups = new Map<string, SyncOperation[]>()
    for (const op of ops) {
      const alone = op.tx === undefined || this.options.simple === true
      const name = alone ? `op ${op.opId}` : `tx ${op.tx}`
      groups.set(name, [...(groups.get(name) ?? []), op])
    }
    return [...groups.values()]
  }

  #current(op: SyncOperation): ServerState {
    return this.#state.entities.get(keyOf(op)) ?? { entityVersion: 0, entityCbor: null }
  }

  #isNoOp(op: SyncOperation): boolean {
    const { entityCbor, schemaVersion = 1 } = this.#current(op)
    const isSameShape = entityCbor === null || schemaVersion === (op.schemaVersion ?? 1)
    return isSameShape && sameBytes(entityCbor, op.entityCbor)
  }

  #commit(op: SyncOperation): CommittedOp {
    const state = this.#state
    state.head += 1
    const { entityCbor, schemaVersion } = op
    state.entities.set(keyOf(op), {
      entityVersion: state.head,
      entityCbor,
      ...(schemaVersion === undefined ? {} : { schemaVersion }),
    })
    state.oplog.push({ ...op, entityVersion: state.head })
    return this.#accept(op, state.head)
  }

  #accept(op: SyncOperation, revision: number): CommittedOp {
    const hash = hex(encodeContentForHash(op))
    this.#state.accepted.set(`${op.deviceId}/${op.opId}`, { hash, revision })
    return { opId: op.opId, entityVersion: revision }
  }
}

function digestsOf(entities: ReadonlyMap<string, ServerState>): Record<string, Uint8Array> {
  const digests: Record<string, Uint8Array> = {}
  for (const [key, { entityVersion, entityCbor }] of entities) {
    if (entityCbor === null) continue
    const { collection, entityId } = entityRef(key)
    const digest = entityDigest(collection, entityId, entityVersion, entityCbor)
    digests[collection] = addDigests(digests[collection] ?? emptyDigest(), digest)
  }
  return digests
}

function keyOf({ collection, entityId }: SyncOperation): string {
  return `${collection}/${entityId}`
}

function sameGroup(a: SyncOperation | undefined, b: SyncOperation | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.deviceId === b.deviceId &&
    a.tx !== undefined &&
    a.tx === b.tx
  )
}

function refusal(code: EntiDBError['code'], details: Record<string, unknown> = {}): EntiDBError {
  return new EntiDBError(code, code, { details })
}
