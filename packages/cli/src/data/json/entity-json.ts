/** Stored entities as JSON text and back. */
import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import { decodeBase64 } from './base64.ts'
import { parseJson } from './json-text.ts'
import { fromJson, JsonFormError, toJson } from './json-value.ts'

/** The form of an entity whose bytes are not those that its value would get here. */
const ENCODED = '$cbor'

/** One line. `bytes` are those of a stored entity. */
export function entityToJsonText(bytes: Uint8Array): string {
  const entity = decodeEntity(bytes)
  const text = JSON.stringify(toJson(entity))
  // Large integers can be stored in two forms, and read as the same bigint.
  const isOwnForm = !text.includes('"$bigint"') || Buffer.compare(encodeEntity(entity), bytes) === 0
  return isOwnForm ? text : JSON.stringify({ [ENCODED]: Buffer.from(bytes).toString('base64') })
}

/**
 * The bytes of the entity that the text stands for. Errors: `invalid_entity`. @throws SyntaxError;
 * JsonFormError
 */
export function entityFromJsonText(text: string): Uint8Array {
  const json = parseJson(text)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new JsonFormError('an entity is an object')
  }
  return encodedOf(json) ?? encodeEntity(entityOf(json))
}

/** Undefined when it is not in the form for bytes. */
function encodedOf(json: object): Uint8Array | undefined {
  const [[key, item] = [], ...more] = Object.entries(json)
  if (key !== ENCODED || more.length > 0) return undefined
  const bytes = typeof item === 'string' ? decodeBase64(item) : undefined
  if (bytes === undefined) throw new JsonFormError(`{ "${ENCODED}": ... } is base64 of the entity`)
  return bytes
}

function entityOf(json: object): object {
  const entity = fromJson(json)
  if (
    typeof entity === 'object' &&
    entity !== null &&
    Object.getPrototypeOf(entity) === Object.prototype
  ) {
    return entity
  }
  throw new JsonFormError('an entity is an object, not a value of another type')
}
