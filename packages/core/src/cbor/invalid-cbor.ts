/** How bytes can fail to be what they should be: the one error of every reader in this folder. */
import { EntiDBError } from '../errors/entidb-error.ts'

/** `details.reason` of an `invalid_cbor` error. */
export type InvalidCborReason =
  | 'truncated'
  | 'trailing_bytes'
  | 'length_exceeds_input'
  | 'indefinite_length'
  | 'reserved_encoding'
  | 'not_shortest'
  | 'integer_out_of_range'
  | 'unexpected_type'
  | 'invalid_utf8'
  | 'lone_surrogate'
  | 'too_deep'
  | 'too_large'
  | 'key_not_text'
  | 'unsorted_keys'
  | 'duplicate_key'
  | 'unsupported_tag'
  | 'unsupported_simple'
  | 'float_not_canonical'
  | 'bignum_not_canonical'
  | 'date_not_canonical'
  | 'not_a_map'
  | 'missing_id'

/** `offset` is the index, in the array handed to the reader, of the item at fault. */
export function invalidCbor(offset: number, reason: InvalidCborReason): EntiDBError {
  return new EntiDBError('invalid_cbor', `Invalid CBOR at byte ${offset}: ${reason}`, {
    details: { offset, reason },
  })
}
