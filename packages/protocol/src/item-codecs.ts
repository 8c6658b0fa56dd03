/** Codecs of single items: integers in a range, booleans, text under a rule, bytes of a length. */
import { type Codec, checked } from './codec.ts'
import {
  isValidClientDeviceId,
  isValidCollectionName,
  isValidDbId,
  isValidDeviceId,
  isValidEntityId,
  isValidSnapshotPosition,
} from './identifiers.ts'
import type { InvalidMessageReason } from './invalid-message.ts'
import { encodedText, UNKNOWN_DEPTH_MAX } from './record-codec.ts'

const MAX = Number.MAX_SAFE_INTEGER

/** An integer from `min` to `max`, both included. */
export function uint(min: number = 0, max: number = MAX): Codec<number> {
  return {
    write(writer, value) {
      if (!(value >= min && value <= max)) throw new TypeError(`Not ${min} to ${max}: ${value}`)
      writer.writeUint(value)
    },
    read(reader) {
      const offset = reader.position
      const value = reader.readUint()
      if (value < min || value > max) reader.fail('out_of_range', offset)
      return value
    },
  }
}

/** -(2^53 - 1) to 2^53 - 1. */
export const int: Codec<number> = {
  write: (writer, value) => writer.writeInt(value),
  read: (reader) => reader.readInt(),
}

export const bool: Codec<boolean> = {
  write: (writer, value) => writer.writeBoolean(value),
  read: (reader) => reader.readBoolean(),
}

export const text: Codec<string> = {
  write: (writer, value) => writer.writeText(value),
  read: (reader) => reader.readText(),
}

export const bytes: Codec<Uint8Array> = {
  write: (writer, value) => writer.writeBytes(value),
  read: (reader) => reader.readBytes(),
}

export const bytesOrNull: Codec<Uint8Array | null> = {
  write(writer, value) {
    if (value === null) writer.writeNull()
    else writer.writeBytes(value)
  },
  read(reader) {
    if (!reader.isNull()) return reader.readBytes()
    reader.readNull()
    return null
  },
}

/** An item that is encoded already, written as it is and read as a view. */
export const encoded: Codec<Uint8Array> = {
  write: (writer, value) => writer.writeRaw(value),
  read: (reader) => reader.readRaw(UNKNOWN_DEPTH_MAX),
}

/** Exactly `length` bytes. */
export function bytesOf(length: number): Codec<Uint8Array> {
  return {
    write(writer, value) {
      if (value.length !== length) throw new TypeError(`Not ${length} bytes: ${value.length}`)
      writer.writeBytes(value)
    },
    read(reader) {
      const offset = reader.position
      const value = reader.readBytes()
      if (value.length !== length) reader.fail('wrong_length', offset)
      return value
    },
  }
}

export const dbIdText: Codec<string> = repeatedText(isValidDbId, 'invalid_db_id')
/** Any author, the server included. */
export const authorText: Codec<string> = repeatedText(isValidDeviceId, 'invalid_device_id')
export const collectionText: Codec<string> = repeatedText(
  isValidCollectionName,
  'invalid_collection',
)
export const entityIdText: Codec<string> = textThat(isValidEntityId, 'invalid_entity_id')
export const snapshotPositionText: Codec<string> = textThat(isValidSnapshotPosition, 'wrong_length')

/** The deviceId of who sends a request. */
export const clientDeviceIdText: Codec<string> = checked(authorText, (value) =>
  isValidClientDeviceId(value) ? undefined : { path: [], reason: 'reserved_device_id' },
)

/** One of a few words. */
export function oneOf<T extends string>(words: readonly T[]): Codec<T> {
  const isWord = (value: unknown): value is T => words.some((word) => word === value)
  return repeatedText(isWord, 'unexpected_value')
}

/** The operations of one message repeat the same names: one check and one string serve them all. */
function repeatedText<T extends string>(
  isValid: (value: unknown) => value is T,
  reason: InvalidMessageReason,
): Codec<T> {
  const codec = textThat(isValid, reason)
  let last: { readonly value: T; readonly encoded: Uint8Array } | undefined
  return {
    write: codec.write,
    read(reader) {
      if (last !== undefined && reader.passIf(last.encoded)) return last.value
      const value = codec.read(reader)
      last = { value, encoded: encodedText(value) }
      return value
    },
  }
}

function textThat<T extends string>(
  isValid: (value: unknown) => value is T,
  reason: InvalidMessageReason,
): Codec<T> {
  return {
    write(writer, value) {
      if (!isValid(value)) throw new TypeError(`Not a message: ${reason}`)
      writer.writeText(value)
    },
    read(reader) {
      const offset = reader.position
      const value = reader.readText()
      return isValid(value) ? value : reader.fail(reason, offset)
    },
  }
}
