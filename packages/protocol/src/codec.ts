/**
 * A codec writes and reads one type of item. Both directions hold it to the same rules: what `write`
 * accepts, `read` gives back, and what `read` refuses, `write` refuses as a `TypeError` (only text with
 * a lone surrogate, in a field that takes any text, is `invalid_cbor`).
 */
import { CborWriter } from '@entidb/core/cbor'
import { type MessageErrorCode, type Problem, pathText } from './invalid-message.ts'
import { MessageReader } from './message-reader.ts'

export interface Codec<T> {
  write(writer: CborWriter, value: T): void
  read(reader: MessageReader): T
}

// Encoding never waits, so one buffer serves all messages.
const writer = new CborWriter()

export function encodeMessage<T>(codec: Codec<T>, message: T): Uint8Array {
  writer.reset()
  codec.write(writer, message)
  return writer.take()
}

/** Reads exactly one message; anything else is `code`. Byte strings are views of `bytes`. */
export function decodeMessage<T>(codec: Codec<T>, bytes: Uint8Array, code: MessageErrorCode): T {
  const reader = new MessageReader(bytes, code)
  try {
    const message = codec.read(reader)
    if (!reader.atEnd) reader.fail('trailing_bytes', reader.position)
    return message
  } catch (error) {
    throw reader.withPlace(error)
  }
}

/** `codec` with one more rule, which looks at the whole value. */
export function checked<T>(codec: Codec<T>, check: (value: T) => Problem | undefined): Codec<T> {
  return {
    write(writer, value) {
      const problem = check(value)
      if (problem !== undefined) {
        throw new TypeError(`Not a message: ${problem.reason} at ${pathText(problem.path)}`)
      }
      codec.write(writer, value)
    },
    read(reader) {
      const offset = reader.position
      const value = codec.read(reader)
      const problem = check(value)
      if (problem !== undefined) reader.fail(problem.reason, offset, problem.path)
      return value
    },
  }
}
