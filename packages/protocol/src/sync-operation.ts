/** The operation, as it travels in pushes, pulls and conflicts. */
import { type Codec, checked, decodeMessage, encodeMessage } from './codec.ts'
import { SERVER_DEVICE_ID } from './identifiers.ts'
import type { MessageErrorCode, Problem } from './invalid-message.ts'
import {
  authorText,
  bytesOrNull,
  collectionText,
  dbIdText,
  entityIdText,
  int,
  oneOf,
  uint,
} from './item-codecs.ts'
import type { SyncOperation } from './messages.ts'
import { optional, record, required } from './record-codec.ts'

/** Largest `tx`. */
export const TX_MAX: number = 2 ** 32 - 1

export const syncOperation: Codec<SyncOperation> = checked(
  record<SyncOperation>({
    opId: required(uint()),
    dbId: required(dbIdText),
    deviceId: required(authorText),
    collection: required(collectionText),
    entityId: required(entityIdText),
    opType: required(oneOf(['PUT', 'DELETE'])),
    entityVersion: required(uint()),
    entityCbor: required(bytesOrNull),
    timestampMs: optional(int),
    tx: optional(uint(0, TX_MAX)),
    schemaVersion: optional(uint()),
  }),
  problemOf,
)

export function encodeSyncOperation(operation: SyncOperation): Uint8Array {
  return encodeMessage(syncOperation, operation)
}

/**
 * One operation on its own, `entityCbor` as a view of `bytes`. Holds what every operation holds; what
 * a push or a page adds is checked by their decoders. Malformed: `code`.
 */
export function decodeSyncOperation(
  bytes: Uint8Array,
  code: MessageErrorCode = 'invalid_request',
): SyncOperation {
  return decodeMessage(syncOperation, bytes, code)
}

function problemOf(operation: SyncOperation): Problem | undefined {
  if (operation.opType === 'PUT' && operation.entityCbor === null) {
    return { path: ['entityCbor'], reason: 'put_without_entity' }
  }
  if (operation.opType === 'DELETE' && operation.entityCbor !== null) {
    return { path: ['entityCbor'], reason: 'delete_with_entity' }
  }
  if (operation.opId === 0 && operation.deviceId !== SERVER_DEVICE_ID) {
    return { path: ['opId'], reason: 'out_of_range' }
  }
  return undefined
}
