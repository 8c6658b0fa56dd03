/** Values that an entity cannot hold, named by where they stand in it. */
import { EntiDBError } from '../errors/entidb-error.ts'

const EXPLANATIONS = {
  lone_surrogate: 'text with a lone surrogate has no UTF-8 form',
  invalid_date: 'the date is invalid',
  function: 'a function is not data',
  symbol: 'a symbol is not data',
  undefined: 'undefined is not a value; leave the property out or use null',
  hole: 'an array must not have holes',
  symbol_key: 'a key must be a string, not a symbol',
  not_enumerable: 'a property that is not enumerable would be lost',
  extra_property: 'a property of its own on an array or date would be lost',
  accessor: 'a getter or setter is code, not data',
  cycle: 'it contains itself',
  class_instance: 'only plain objects, arrays, Date and Uint8Array can be stored',
  typed_array: 'of the typed arrays only Uint8Array can be stored',
  detached: 'the memory of the array was transferred away',
  proxy: 'a proxy is code, not data; store what it stands for',
  bigint_too_large: 'a bigint has at most 64 KiB',
  too_deep: 'it is nested deeper than 64 levels',
  too_large: 'it needs more bytes than an entity may have',
} as const

/** `details.reason` of an `invalid_entity` error thrown by the codec. */
export type InvalidEntityReason = keyof typeof EXPLANATIONS

/** The property names and array indexes that lead to a value. */
export type ValuePath = readonly (string | number)[]

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** `tags[2].name`; keys that are no identifiers are quoted. The empty path is the whole value. */
export function formatPath(path: ValuePath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!IDENTIFIER.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}

export function invalidEntity(
  path: ValuePath,
  reason: InvalidEntityReason,
  cause?: unknown,
): EntiDBError {
  const place = formatPath(path)
  const subject = place === '' ? 'The entity' : place
  return new EntiDBError('invalid_entity', `${subject} cannot be stored: ${EXPLANATIONS[reason]}`, {
    cause,
    details: { path: place, reason },
  })
}
