/** Values to compare with, taken at the moment of the call. */
import { decodeFrozenEntity } from '../cbor/entity-decoder.ts'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { hasLoneSurrogate } from '../cbor/utf8.ts'
import { isEntiDBError } from '../errors/entidb-error.ts'
import { invalidQuery } from './entity-errors.ts'

/** A copy of an operand that nobody can change. Error: `invalid_query` for what no entity can hold. */
export function takeOperand(operand: unknown, name: string): unknown {
  if (operand === undefined) {
    throw invalidQuery(`${name} is undefined. Use null, or { exists: false } for a missing field.`)
  }
  if (typeof operand === 'number' || typeof operand === 'boolean' || operand === null) {
    return operand
  }
  // Nobody can change a string. Others are left to the encoder, which tells what is wrong with them.
  if (typeof operand === 'string' && !hasLoneSurrogate(operand)) return operand
  try {
    return decodeFrozenEntity(encodeEntity(operand)).value
  } catch (error) {
    if (isEntiDBError(error)) throw invalidQuery(`${name}: ${error.message}`)
    throw error
  }
}
