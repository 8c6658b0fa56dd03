/**
 * Three-way merge of two edits of one entity, field by field: a field that only one side changed keeps
 * that side's value, a field that both changed differently is decided by the caller.
 */
import { isDeepStrictEqual } from 'node:util'

export interface FieldMerge {
  readonly field: string
  readonly base: unknown
  readonly local: unknown
  readonly remote: unknown
  readonly merged: unknown
  /** Both sides changed it, to different values. */
  readonly contested: boolean
}

export type Fields = Readonly<Record<string, unknown>>

export type MergedEntity = Fields & { readonly id: string }

/** Settles one field that both sides changed. */
export type FieldDecision = (field: string, local: unknown, remote: unknown) => unknown

/**
 * Every field of the three sides, in the order in which they are met. A missing field is undefined. With
 * an unknown `base` every difference is contested.
 */
export function mergeFields(
  base: Fields | undefined,
  local: Fields,
  remote: Fields,
  decide: FieldDecision,
): readonly FieldMerge[] {
  const fields = new Set([base ?? {}, local, remote].flatMap((side) => Object.keys(side)))
  return [...fields].map((field) => mergeField(field, base, local, remote, decide))
}

/** The merged entity; fields merged to undefined are absent. The id is never merged. */
export function mergedEntity(id: string, merges: readonly FieldMerge[]): MergedEntity {
  const present = merges.filter(({ merged }) => merged !== undefined)
  return { ...Object.fromEntries(present.map(({ field, merged }) => [field, merged])), id }
}

function mergeField(
  field: string,
  baseFields: Fields | undefined,
  localFields: Fields,
  remoteFields: Fields,
  decide: FieldDecision,
): FieldMerge {
  const base = baseFields?.[field]
  const local = localFields[field]
  const remote = remoteFields[field]
  const values = { field, base, local, remote }
  if (isDeepStrictEqual(local, remote)) return { ...values, merged: local, contested: false }
  const localChanged = baseFields === undefined || !isDeepStrictEqual(local, base)
  const remoteChanged = baseFields === undefined || !isDeepStrictEqual(remote, base)
  if (localChanged && remoteChanged) {
    return { ...values, merged: decide(field, local, remote), contested: true }
  }
  return { ...values, merged: localChanged ? local : remote, contested: false }
}
