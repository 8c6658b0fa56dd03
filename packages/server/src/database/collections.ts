/**
 * The collections in which the server keeps one database: ordinary EntiDB collections, open to
 * inspection. Keys are built so that scans by key are scans in the order that matters.
 *
 * | collection            | key                          | holds                                             |
 * | --------------------- | ---------------------------- | ------------------------------------------------- |
 * | `meta`                | `database`                   | head, epoch, how far log and tombstones are cleared |
 * | `epochs`              | firstCursor                  | the history                                       |
 * | `entities`            | collection `/` entityId      | the current state of every entity, tombstones too |
 * | `server_oplog`        | serverCursor                 | accepted operations as pulls send them            |
 * | `tombstones`          | serverCursor                 | deletes in the order in which they are purged     |
 * | `accepted_ops`        | deviceId `/` opId            | what was decided, for repeated sendings           |
 * | `device_state`        | deviceId                     | what is known of each device                      |
 * | `superseded_replicas` | deviceId `/` replicaId (hex) | installations that lost their deviceId            |
 * | `conflicts`           | deviceId `/` opId            | the last conflict that each operation met         |
 * | `collection_state`    | collection                   | live entities and their digest                    |
 *
 * An oplog row keeps the whole encoded operation in `operationCbor` instead of `entityCbor` alone, so
 * that a page is put together from stored bytes; `decodeSyncOperation` of `@entidb/protocol` opens it.
 *
 * Oplog rows are unique on device and opId. A push decides about repeats by the keys of `accepted_ops`; the
 * index of the oplog is the guard behind it: no mistake can make one operation take effect twice.
 */
import {
  type CollectionDefinition,
  defineCollection,
  type EntiDB,
  type ReadScope,
  type Snapshot,
  type Transaction,
} from '@entidb/core'
import type { OpType } from '@entidb/protocol'

/** What there is one of in a database. */
export interface MetaRow {
  readonly id: 'database'
  readonly dbId: string
  readonly head: number
  /** 16 bytes; the last of `epochs`. */
  readonly epoch: Uint8Array
  readonly purgedThrough: number
  /**
   * Oplog rows that a row up to here supersedes are gone. Absent in a database that was begun before rows said
   * what they replace: its log is never compacted, nor its tombstones purged.
   */
  readonly compactedThrough?: number
  /** Oplog rows that a newer one supersedes, and that are still there. */
  readonly superseded?: number
}

/** An epoch of the database. */
export interface EpochRow {
  readonly id: string
  readonly epoch: Uint8Array
  readonly firstCursor: number
}

/** The present state of an entity. */
export interface EntityRow {
  readonly id: string
  readonly collection: string
  readonly entityId: string
  /** The revision: the cursor of the operation that made this state. */
  readonly entityVersion: number
  /** Null when deleted. */
  readonly entityCbor: Uint8Array | null
  readonly deleted: boolean
  readonly updatedByDevice: string
  readonly schemaVersion: number
  /** Of the operation that made this state; missing in rows of old databases: the oplog has it. */
  readonly sourceOpId?: number
  /** As that operation says. */
  readonly timestampMs?: number
}

/** An accepted operation, under its cursor. */
export interface OplogRow {
  readonly id: string
  readonly serverCursor: number
  readonly dbId: string
  readonly collection: string
  readonly entityId: string
  readonly opType: OpType
  readonly sourceDeviceId: string
  /** Missing in operations of the device `server`, whose opId is 0 and not unique. */
  readonly sourceOpId?: number
  /** Equal in neighbouring rows of one device: one group. */
  readonly tx?: number
  /** Cursor of the entity's operation before this one: what compaction removes. Missing in the first. */
  readonly replaces?: number
  readonly operationCbor: Uint8Array
}

/** A delete that may be purged one day. A later operation on the entity makes it void. */
export interface TombstoneRow {
  readonly id: string
  /** Key in `entities`. */
  readonly entity: string
  /** The server's clock in milliseconds, for retention only. */
  readonly deletedAt: number
}

/** An operation that was accepted, so that it is accepted once. */
export interface AcceptedOpRow {
  readonly id: string
  /** SHA-256, 32 bytes. */
  readonly contentHash: Uint8Array
  /** What `committed` said: the revision it made, or found if it changed nothing. */
  readonly revision: number
  readonly noop: boolean
}

/** A device, and how far it is. */
export interface DeviceRow {
  readonly id: string
  readonly dbId: string
  readonly deviceId: string
  /** The largest cursor that the device has shown in `lastSeenEpoch`. */
  readonly lastSeenCursor: number
  readonly lastSeenEpoch: Uint8Array
  /** Wall clock in milliseconds, for retention and people. */
  readonly lastSeenAt: number
  /** The installation that owns the deviceId; null until one has shaken hands with its replicaId. */
  readonly replicaId: Uint8Array | null
  /** Whose token used the deviceId first, since deviceIds belong to subjects. */
  readonly subject?: string
  /** New operations below it are never accepted. */
  readonly floor: number
  /** The highest opId that was ever decided. */
  readonly lastOpId: number
  /** Records of accepted operations below it are gone; missing: none was removed yet. */
  readonly forgottenBelow?: number
}

/** A database file that another one took the place of. */
export interface SupersededReplicaRow {
  readonly id: string
  readonly deviceId: string
  readonly supersededAt: number
}

/** A conflict that the server found. */
export interface ConflictRow {
  readonly id: string
  readonly dbId: string
  readonly collection: string
  readonly entityId: string
  readonly clientOpCbor: Uint8Array
  readonly serverEntityVersion: number
  /** Missing where it is large: the entity or the oplog may still have the revision. */
  readonly serverEntityCbor?: Uint8Array | null
  /** Its length, where it is missing. */
  readonly serverEntityBytes?: number
  readonly reason: 'stale' | 'group'
  readonly detectedAt: number
}

/** What a collection holds: how much, and the digest of it. */
export interface CollectionStateRow {
  readonly id: string
  readonly liveEntities: number
  /** Sum of the digests of the live entities, 32 bytes. */
  readonly digest: Uint8Array
}

/** The collections that a server keeps a database in. */
export type ServerCollections = {
  readonly meta: CollectionDefinition<MetaRow>
  readonly epochs: CollectionDefinition<EpochRow>
  readonly entities: CollectionDefinition<EntityRow>
  readonly server_oplog: CollectionDefinition<OplogRow>
  readonly tombstones: CollectionDefinition<TombstoneRow>
  readonly accepted_ops: CollectionDefinition<AcceptedOpRow>
  readonly device_state: CollectionDefinition<DeviceRow>
  readonly superseded_replicas: CollectionDefinition<SupersededReplicaRow>
  readonly conflicts: CollectionDefinition<ConflictRow>
  readonly collection_state: CollectionDefinition<CollectionStateRow>
}

export type ServerDatabase = EntiDB<ServerCollections>
export type ServerTransaction = Transaction<ServerCollections>
export type ServerSnapshot = Snapshot<ServerCollections>
/** What a transaction and a snapshot have in common here. */
export type ServerReader = ReadScope<ServerCollections>

/** The collections that a server keeps a database in: for tools that open one. */
export const serverCollections: ServerCollections = {
  meta: defineCollection<MetaRow>({}),
  epochs: defineCollection<EpochRow>({}),
  entities: defineCollection<EntityRow>({}),
  server_oplog: defineCollection<OplogRow>({
    indexes: {
      source: { on: ['sourceDeviceId', 'sourceOpId'], unique: true, sparse: true },
    },
  }),
  tombstones: defineCollection<TombstoneRow>({}),
  accepted_ops: defineCollection<AcceptedOpRow>({}),
  device_state: defineCollection<DeviceRow>({}),
  superseded_replicas: defineCollection<SupersededReplicaRow>({}),
  conflicts: defineCollection<ConflictRow>({ indexes: { detectedAt: ['detectedAt'] } }),
  collection_state: defineCollection<CollectionStateRow>({}),
}

/** Digits of 2^53 - 1. */
const NUMBER_DIGITS = 16

/** A cursor or opId as text that sorts as the number does. */
export function sortableNumber(value: number): string {
  return String(value).padStart(NUMBER_DIGITS, '0')
}

export function entityKey(collection: string, entityId: string): string {
  // A collection name holds no slash: no two entities share a key.
  return `${collection}/${entityId}`
}

/** Key of an accepted operation and of a conflict. */
export function operationKey(deviceId: string, opId: number): string {
  return `${deviceId}/${sortableNumber(opId)}`
}

/** Keys of a device's operations from one opId to another. */
export function operationKeys(
  deviceId: string,
  from: number,
  to: number,
): { readonly gte: string; readonly lte: string } {
  return { gte: operationKey(deviceId, from), lte: operationKey(deviceId, to) }
}

export function replicaKey(deviceId: string, replicaId: Uint8Array): string {
  return `${deviceId}/${Buffer.from(replicaId).toString('hex')}`
}
