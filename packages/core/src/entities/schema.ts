/** Holds a local write against the schema of its collection. Replicated states are never refused. */
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { StandardSchema, StandardSchemaIssue } from './standard-schema.ts'

/**
 * `bytes` is the encoded `entity`. Errors: `schema_violation` (details: issues), `schema_transforms`.
 */
export function assertFitsSchema(
  schema: StandardSchema,
  collection: string,
  entity: object,
  bytes: Uint8Array,
): void {
  const result = schema['~standard'].validate(entity)
  if (result instanceof Promise) {
    // Its outcome comes too late to matter; a rejection must not go unhandled.
    result.catch(() => {})
    throw new TypeError(
      `The schema of ${collection} validates asynchronously; it has to be synchronous.`,
    )
  }
  if (result.issues !== undefined) throw schemaViolation(collection, result.issues)
  if (result.value !== entity && !hasBytes(result.value, bytes)) throw schemaTransforms(collection)
}

function hasBytes(value: unknown, bytes: Uint8Array): boolean {
  try {
    return bytesEqual(encodeEntity(value), bytes)
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
    { details: { collection, issues } },
  )
}

function pathText(path: StandardSchemaIssue['path']): string {
  const steps = path?.map((step) => String(typeof step === 'object' ? step.key : step))
  return steps?.join('.') ?? ''
}

function schemaTransforms(collection: string): EntiDBError {
  return new EntiDBError(
    'schema_transforms',
    `The schema of ${collection} changes the entity (a default, a coercion, a dropped key). Its output has to equal its input.`,
    { details: { collection } },
  )
}
