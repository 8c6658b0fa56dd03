/** Holds a local write against the schema of its collection. Replicated states are never refused. */
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { StandardSchema, StandardSchemaIssue } from './standard-schema.ts'

/**
 * `bytes` is the encoded `entity`. Errors: `schema_violation` (details: issues; cause: those of the library),
 * `schema_transforms`.
 *
 * @throws TypeError for a schema that answers later.
 */
export function assertFitsSchema(
  schema: StandardSchema,
  collection: string,
  entity: object,
  bytes: Uint8Array,
): void {
  const result = schema['~standard'].validate(entity)
  if ('then' in result) {
    // Its outcome comes too late to matter; a rejection must not go unhandled.
    Promise.resolve(result).catch(() => {})
    throw new TypeError(
      `The schema of ${collection} validates asynchronously; it has to be synchronous.`,
    )
  }
  if (result.issues !== undefined) throw schemaViolation(collection, result.issues)
  // Also where the very entity comes back: it may have been changed in place.
  if (!hasBytes(result.value, bytes)) throw schemaTransforms(collection)
}

function hasBytes(value: unknown, bytes: Uint8Array): boolean {
  try {
    // More would be something else; how large an entity may be is not for this to say.
    return bytesEqual(encodeEntity(value, { maxEntityBytes: bytes.length }), bytes)
  } catch {
    // What cannot even be encoded is not what was put in.
    return false
  }
}

function schemaViolation(
  collection: string,
  schemaIssues: readonly StandardSchemaIssue[],
): EntiDBError {
  const issues = schemaIssues.map(({ message, path }) => ({ message, path: pathText(path) }))
  const list = issues.map(({ message, path }) => (path === '' ? message : `${path}: ${message}`))
  return new EntiDBError(
    'schema_violation',
    `The schema of ${collection} refuses the entity: ${list.join('; ')}`,
    { details: { collection, issues }, cause: schemaIssues },
  )
}

function pathText(path: StandardSchemaIssue['path']): string {
  const steps = path?.map((step) => String(typeof step === 'object' ? step.key : step))
  return steps?.join('.') ?? ''
}

function schemaTransforms(collection: string): EntiDBError {
  return new EntiDBError(
    'schema_transforms',
    `The schema of ${collection} changes the entity (a default, a coercion, a dropped unknown key). Its output has to equal its input.`,
    { details: { collection } },
  )
}
