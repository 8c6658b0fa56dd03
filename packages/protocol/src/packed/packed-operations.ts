/**
 * The packed form of a page's operations: what they have in common once, the rest in columns. The page of
 * the protocol specifies it ("Packed pages"); here is the map that holds it. `packOperations` makes one,
 * `unpackOperations` reads it.
 */
import { arrayOf } from '../array-codecs.ts'
import type { Codec } from '../codec.ts'
import { authorText, bool, bytes, collectionText, dbIdText, oneOf, uint } from '../item-codecs.ts'
import type { OpType } from '../messages.ts'
import { optional, record, required } from '../record-codec.ts'
import { type EntityShape, entityShapes } from './entity-shapes.ts'

/** The form of packed pages that this package reads and writes. A request names it or a later one. */
export const PACKED_FORM = 2

/** More operations than that are never packed: each may be a few bytes, and takes far more once unpacked. */
export const PACKED_OPS_MAX = 100_000

/** What operations have in common. */
export interface OperationKind {
  readonly dbId: string
  readonly deviceId: string
  readonly collection: string
  readonly opType: OpType
  readonly schemaVersion?: number
  /** Each has a `tx`; absent: none has. */
  readonly hasTx?: boolean
  /** Each has a `timestampMs`; absent: none has. */
  readonly hasTimestampMs?: boolean
}

/** CBOR sequences, but `entityIds` and `entities`. One that is empty is left out. */
export interface PackedColumns {
  readonly kindIndexes?: Uint8Array
  readonly revisions?: Uint8Array
  readonly opIds?: Uint8Array
  readonly entityIdSizes?: Uint8Array
  /** The ids in UTF-8 behind each other. */
  readonly entityIds?: Uint8Array
  readonly txs?: Uint8Array
  readonly timestampsMs?: Uint8Array
  /** 0 for an entity that was not taken apart, else its place in `shapes` and 1. */
  readonly shapeIndexes?: Uint8Array
  readonly entitySizes?: Uint8Array
  /** The entities that were not taken apart, behind each other. */
  readonly entities?: Uint8Array
}

export type ColumnName = keyof PackedColumns

export interface PackedOperations extends PackedColumns {
  readonly kinds: readonly OperationKind[]
  /** Absent: no entity was taken apart. */
  readonly shapes?: readonly EntityShape[]
}

export const packedOperations: Codec<PackedOperations> = record<PackedOperations>({
  kinds: required(
    arrayOf(
      record<OperationKind>({
        dbId: required(dbIdText),
        deviceId: required(authorText),
        collection: required(collectionText),
        opType: required(oneOf(['PUT', 'DELETE'])),
        schemaVersion: optional(uint()),
        hasTx: optional(bool),
        hasTimestampMs: optional(bool),
      }),
    ),
  ),
  shapes: optional(entityShapes),
  kindIndexes: optional(bytes),
  revisions: optional(bytes),
  opIds: optional(bytes),
  entityIdSizes: optional(bytes),
  entityIds: optional(bytes),
  txs: optional(bytes),
  timestampsMs: optional(bytes),
  shapeIndexes: optional(bytes),
  entitySizes: optional(bytes),
  entities: optional(bytes),
})
