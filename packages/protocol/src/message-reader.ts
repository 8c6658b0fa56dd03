/**
 * A CBOR reader that knows where in the message it is, so that every failure names the field. Codecs
 * `enter` a field before they read it and `leave` it after; a failure keeps the path as it stands.
 */
import { isEntiDBError } from '@entidb/core'
import { CborReader } from '@entidb/core/cbor'
import {
  type InvalidMessageReason,
  invalidMessage,
  type MessageErrorCode,
  type PathSegment,
} from './invalid-message.ts'

export class MessageReader extends CborReader {
  readonly code: MessageErrorCode
  private readonly segments: PathSegment[] = []
  private readonly byteOffset: number
  private readonly start: number

  /** `start`: index in the message of the first of `bytes`, where they are a part of it. */
  constructor(bytes: Uint8Array, code: MessageErrorCode, start: number = 0) {
    super(bytes)
    this.code = code
    this.byteOffset = bytes.byteOffset
    this.start = start
  }

  /** Where the next item belongs. */
  get path(): readonly PathSegment[] {
    return this.segments
  }

  enter(segment: PathSegment): void {
    this.segments.push(segment)
  }

  leave(): void {
    this.segments.pop()
  }

  /** Index in the message of what was read from it as a view. */
  offsetOf(view: Uint8Array): number {
    return this.start + view.byteOffset - this.byteOffset
  }

  /** `offset` is where the item at fault begins, `below` its path from the field being read. */
  fail(reason: InvalidMessageReason, offset: number, below: readonly PathSegment[] = []): never {
    const path = [...this.segments, ...below]
    throw invalidMessage(this.code, reason, { path, offset: this.start + offset })
  }

  /** What was thrown while an item was read: a failure of the CBOR reader as one that names the field. */
  withPlace(error: unknown): unknown {
    if (!isEntiDBError(error, 'invalid_cbor')) return error
    const { offset, reason } = error.details
    return invalidMessage(this.code, reason as InvalidMessageReason, {
      path: this.segments,
      // `invalid_cbor` always carries a reason of the CBOR reader and an offset.
      offset: this.start + (offset as number),
    })
  }
}
