/**
 * What names a database, a device, a collection and an entity on the wire. `isValid...` answers;
 * `parse...` takes untrusted input and throws `invalid_request` with the path it is given.
 */
import { type InvalidMessageReason, invalidMessage } from './invalid-message.ts'

/** The author of what application code on the server writes. No client may use it. */
export const SERVER_DEVICE_ID = 'server'

/** Most UTF-8 bytes of an entityId. */
export const ENTITY_ID_BYTES_MAX = 512
/** Most UTF-8 bytes of a place in a snapshot. */
const SNAPSHOT_POSITION_BYTES_MAX = 1024

const DB_OR_DEVICE_ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/
const COLLECTION_NAME = /^[A-Za-z0-9-][A-Za-z0-9_-]{0,63}$/

/** 1 to 128 of `A-Z a-z 0-9 . _ -`, not starting with `.`: safe as a name of a folder. */
export function isValidDbId(value: unknown): value is string {
  return typeof value === 'string' && DB_OR_DEVICE_ID.test(value)
}

/** As a dbId; `server` included. */
export function isValidDeviceId(value: unknown): value is string {
  return isValidDbId(value)
}

/** A deviceId that a client may use: any but `server`. */
export function isValidClientDeviceId(value: unknown): value is string {
  return isValidDeviceId(value) && value !== SERVER_DEVICE_ID
}

/** 1 to 64 of `A-Z a-z 0-9 _ -`, not starting with `_`. */
export function isValidCollectionName(value: unknown): value is string {
  return typeof value === 'string' && COLLECTION_NAME.test(value)
}

/** Well-formed text of 1 to 512 UTF-8 bytes; nothing is normalised. */
export function isValidEntityId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && isUtf8Within(value, ENTITY_ID_BYTES_MAX)
}

/** Well-formed text of 1 to 1024 UTF-8 bytes. */
export function isValidSnapshotPosition(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && isUtf8Within(value, SNAPSHOT_POSITION_BYTES_MAX)
  )
}

/** At least 1 and an integer; 0 too for what the server wrote. */
export function isOpIdOf(deviceId: string, opId: number): boolean {
  return Number.isSafeInteger(opId) && opId >= (deviceId === SERVER_DEVICE_ID ? 0 : 1)
}

/** The dbId itself, or `invalid_request`. */
export function parseDbId(value: unknown, path: string = 'dbId'): string {
  if (isValidDbId(value)) return value
  throw invalidAt(path, 'invalid_db_id')
}

/** The deviceId of a client itself, or `invalid_request`; `server` is refused. */
export function parseDeviceId(value: unknown, path: string = 'deviceId'): string {
  if (isValidClientDeviceId(value)) return value
  throw invalidAt(path, value === SERVER_DEVICE_ID ? 'reserved_device_id' : 'invalid_device_id')
}

/** The collection name itself, or `invalid_request`. */
export function parseCollectionName(value: unknown, path: string = 'collection'): string {
  if (isValidCollectionName(value)) return value
  throw invalidAt(path, 'invalid_collection')
}

/** The entityId itself, or `invalid_request`. */
export function parseEntityId(value: unknown, path: string = 'entityId'): string {
  if (isValidEntityId(value)) return value
  throw invalidAt(path, 'invalid_entity_id')
}

function invalidAt(path: string, reason: InvalidMessageReason): Error {
  return invalidMessage('invalid_request', reason, { path: [path] })
}

function isUtf8Within(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return false
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 3
    else if (unit > 0xdbff || !isLowSurrogate(text.charCodeAt(i + 1))) return false
    else {
      bytes += 4
      i++
    }
  }
  return bytes <= bytesMax
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
