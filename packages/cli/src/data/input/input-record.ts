/** What the readers of all formats have in common. */
import { EntiDBError } from '@entidb/core'

/** How far a reader is: behind a whole record. */
export interface InputPosition {
  /** Bytes of the input. */
  readonly bytes: number
  /** Newlines in them. */
  readonly lines: number
  readonly records: number
}

export const INPUT_START: InputPosition = { bytes: 0, lines: 0, records: 0 }

/** Where a record begins. */
export interface InputPlace {
  /** From 0, in bytes. */
  readonly offset: number
  /** From 1; absent where the format has no lines. */
  readonly line?: number
}

/** One entity of the input. */
export interface InputRecord {
  readonly place: InputPlace
  /** Behind it. */
  readonly end: InputPosition
  /** The entity's CBOR. Errors: `invalid_input`, `invalid_entity`. */
  encode(): Uint8Array
}

/** Bytes to records, from `start` on. Errors: `invalid_input`, and those of the input. */
export type RecordReader = (
  chunks: AsyncIterable<Uint8Array>,
  start: InputPosition,
) => AsyncGenerator<InputRecord, void, undefined>

/**
 * More than any entity needs: 16 MiB of CBOR may be 96 MiB of JSON. What is longer is not read on, so that
 * memory is bounded.
 */
export const RECORD_BYTES_MAX: number = 128 * 1024 * 1024

export function invalidInput(place: InputPlace, what: string, cause?: unknown): EntiDBError {
  return new EntiDBError('invalid_input', what, { cause, details: { ...place } })
}
