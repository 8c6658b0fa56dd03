/**
 * The messages of SyncProtocol v1 as TypeScript sees them. `docs/protocol.md` says what they mean;
 * fields marked ext are extensions: optional on the wire, absent when the other side does not know
 * them. All integers are 0 to 2^53 - 1 unless said otherwise.
 */

/** What an operation does to its entity. */
export type OpType = 'PUT' | 'DELETE'

/** One operation on one entity, as it travels in pushes, pulls and conflicts. */
export interface SyncOperation {
  /** At least 1, of the author; 0 only when `deviceId` is `server`. */
  readonly opId: number
  readonly dbId: string
  /** The author: the device that made the edit, or `server`. */
  readonly deviceId: string
  readonly collection: string
  /** 1 to 512 bytes of UTF-8. */
  readonly entityId: string
  readonly opType: OpType
  /** Pushed: the base, 0 for an entity never seen. Pulled: the revision, at least 1. */
  readonly entityVersion: number
  /** The entity's deterministic CBOR; null exactly when `opType` is DELETE. */
  readonly entityCbor: Uint8Array | null
  /** Informational only, never compared. From -(2^53 - 1). */
  readonly timestampMs?: number
  /** ext: the group within this request, or the author's group in a page. 0 to 2^32 - 1. */
  readonly tx?: number
  /** ext: the collection's schema version the bytes were written in; absent means 1. */
  readonly schemaVersion?: number
}

/** An epoch, and the first cursor that belongs to it. */
export interface HistoryEntry {
  /** 16 bytes. */
  readonly epoch: Uint8Array
  /** The head before the epoch began, plus 1: strictly increasing in a history. */
  readonly firstCursor: number
}

/** Who the client is, and what it knows of the server. */
export interface HandshakeRequest {
  readonly dbId: string
  readonly deviceId: string
  readonly clientInfo?: { readonly platform?: string; readonly appVersion?: string }
  /** ext: [major, minor]. */
  readonly protocol?: readonly [number, number]
  /** ext: 16 bytes. */
  readonly replicaId?: Uint8Array
  /** ext: the highest opId this client has ever frozen. */
  readonly lastOpId?: number
  /** ext: 16 bytes. */
  readonly epoch?: Uint8Array
}

/** Each at least 1. */
export interface Limits {
  readonly maxOpsPerPush: number
  /** Operations in a page. */
  readonly maxPullOps: number
  /** Of a request, inflated. */
  readonly maxBodyBytes: number
  /** Of one `entityCbor`. */
  readonly maxEntityBytes: number
  /** Nesting of an entity; the entity itself is level 1. */
  readonly maxDepth: number
}

/** What a server can do. */
export interface Capabilities {
  readonly pull: boolean
  readonly push: boolean
  readonly sse: boolean
  /** ext */
  readonly groups?: boolean
  /** ext */
  readonly rejections?: boolean
  /** ext */
  readonly digest?: boolean
  /** ext */
  readonly collections?: boolean
  /** ext: pages are packed for clients that ask. */
  readonly packed?: boolean
}

/** Where the server stands, what it can do, and its bounds. */
export interface HandshakeResponse {
  /** The head. */
  readonly serverCursor: number
  readonly capabilities: Capabilities
  /** ext: [major, minor]. */
  readonly protocol?: readonly [number, number]
  /** ext: 16 bytes. */
  readonly epoch?: Uint8Array
  /** ext: oldest first. */
  readonly history?: readonly HistoryEntry[]
  /** ext: the highest opId the server has seen of this device. */
  readonly lastOpId?: number
  /** ext */
  readonly limits?: Limits
  /** ext: live entities by collection. */
  readonly counts?: Readonly<Record<string, number>>
  /** ext: names what this token may see; opaque. */
  readonly scope?: string
  /** ext */
  readonly purgedThrough?: number
}

/** Asks for what was accepted after a cursor. */
export interface PullRequest {
  readonly dbId: string
  readonly sinceCursor: number
  /** At least 1; absent or larger than `maxPullOps` means `maxPullOps`. */
  readonly limit?: number
  /** ext: never `server`. */
  readonly deviceId?: string
  /** ext: 16 bytes. */
  readonly replicaId?: Uint8Array
  /** ext: 16 bytes. */
  readonly epoch?: Uint8Array
  /** ext: only these collections. */
  readonly collections?: readonly string[]
  /** ext: the latest form of packed pages that the client reads, at least 1. Absent or 1: plain pages only. */
  readonly packed?: number
  /** ext: pages of a snapshot instead, where `sinceCursor` is 0. */
  readonly snapshot?: SnapshotRequest
}

/** Which page of a snapshot: the first one where it says nothing. Both fields are those of the page before. */
export interface SnapshotRequest {
  /** A cursor. */
  readonly through?: number
  /** 1 to 1024 bytes of UTF-8. */
  readonly after?: string
}

/** Says that a page is one of a snapshot. */
export interface SnapshotPlace {
  /** The head when the first page was read: where pulls by cursor go on after the last page. */
  readonly through: number
  /** What the next page comes after, opaque. Absent: this is the last one. */
  readonly after?: string
}

/** A page of accepted operations. */
export interface PullResponse {
  /** By `entityVersion`, strictly increasing. */
  readonly ops: readonly SyncOperation[]
  /** The last cursor examined, hidden operations included. In a snapshot 0 until its last page, then `through`. */
  readonly nextCursor: number
  /** `nextCursor` is smaller than the head. */
  readonly hasMore: boolean
  /** ext */
  readonly head?: number
  /** ext */
  readonly purgedThrough?: number
  /** ext: the operations are the newest ones of some entities, however new they are. */
  readonly snapshot?: SnapshotPlace
}

/** Operations for the server to accept. */
export interface PushRequest {
  readonly dbId: string
  readonly deviceId: string
  /** By `opId`, strictly increasing, at most one per entity. */
  readonly ops: readonly SyncOperation[]
  /** ext: 16 bytes. */
  readonly epoch?: Uint8Array
  /** ext: 16 bytes. */
  readonly replicaId?: Uint8Array
  /** ext */
  readonly sinceCursor?: number
}

/** `{0, null}` is absent, `{revision, null}` a tombstone. */
export interface ServerState {
  readonly entityVersion: number
  readonly entityCbor: Uint8Array | null
  /** ext: see SyncOperation. */
  readonly schemaVersion?: number
}

/** An operation that was made on a state the server no longer has, and the state it has. */
export interface Conflict {
  readonly collection: string
  readonly entityId: string
  readonly clientOp: SyncOperation
  readonly serverState: ServerState
  /** ext: `stale` when this op's own base was old, `group` when another op of its group was. */
  readonly reason?: 'stale' | 'group'
}

/** An operation that a push brought in, with its revision. */
export interface CommittedOp {
  readonly opId: number
  /** The revision; 0 for a no-op delete of what is absent. */
  readonly entityVersion: number
}

/** An operation that the server refuses, and why. */
export interface RejectedOp {
  readonly opId: number
  /** `forbidden`, `invalid_entity`, `too_large`, `group`, or a code of the server's policy. */
  readonly code: string
  readonly message: string
}

/** Each operation of the request is in exactly one of the three lists, each list in opId order. */
export interface PushResponse {
  /** The highest opId of this request; of an empty one, the highest the server knows of the device. */
  readonly acknowledgedUpToOpId: number
  readonly conflicts: readonly Conflict[]
  /** ext: accepted ops, duplicates and no-ops included. */
  readonly committed?: readonly CommittedOp[]
  /** ext */
  readonly rejected?: readonly RejectedOp[]
  /** ext: the head before and after this request. */
  readonly headBefore?: number
  /** ext */
  readonly head?: number
  /** ext */
  readonly purgedThrough?: number
}

/** Every answer that is not 200. */
export interface ErrorResponse {
  readonly code: string
  readonly message: string
  readonly retryAfterMs?: number
  readonly details?: ErrorDetails
}

/** What the protocol itself puts into `details`; other keys are ignored. */
export interface ErrorDetails {
  /** With `epoch_mismatch`. */
  readonly history?: readonly HistoryEntry[]
  /** With `unsupported_protocol`: the versions the server speaks. */
  readonly supported?: readonly (readonly [number, number])[]
  /** With `op_id_reused`: the highest opId the server knows of the device. */
  readonly lastOpId?: number
  /** With `too_large`: the bound that was exceeded, in the unit the message names. */
  readonly limit?: number
}

/** Asks whether the client holds what the server held at a cursor. */
export interface VerifyRequest {
  readonly dbId: string
  readonly cursor: number
  /** 32 bytes. */
  readonly digest: Uint8Array
}

/** Whether it does; if not, the digest of each collection. */
export interface VerifyResponse {
  readonly match: boolean
  /** Only when they do not match: 32 bytes by collection, empty collections omitted. */
  readonly collections?: Readonly<Record<string, Uint8Array>>
}
