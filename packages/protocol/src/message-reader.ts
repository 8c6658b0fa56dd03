/**
 * A CBOR reader that knows where in the message it is, so that every failure names the field. Codecs
 * `enter` a field before they read it and `leave` it after; a failure keeps the path as it stands.
 */
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

  constructor(bytes: Uint8Array, code: MessageErrorCode) {
    super(bytes)
    this.code = code
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

  /** `offset` is where the item at fault begins, `below` its path from the field being read. */
  fail(reason: InvalidMessageReason, offset: number, below: readonly PathSegment[] = []): never {
    throw invalidMessage(this.code, reason, { path: [...this.segments, ...below], offset })
  }
}
