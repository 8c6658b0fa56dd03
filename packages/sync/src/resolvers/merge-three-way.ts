/**
 * Three-way merge of two edits of one entity, field by field, on the state that both were made on: a field that
 * only one side changed keeps that side's value; one that both changed, to different values, is *contested* and
 * decided by the caller.
 */
import { encodeEntity } from '@entidb/core/cbor'
import type { SyncedEntity } from '../conflicts/conflict-types.ts'
import { sameBytes } from '../same-bytes.ts'

/** A field as the three sides have it; undefined where it is missing. */
export interface FieldSides {
  /** `address`; with `objects: 'byField'` also `address.city`. */
  readonly path: string
  readonly base: unknown
  readonly local: unknown
  readonly remote: unknown
}

/** What became of one field. */
export interface FieldMerge extends FieldSides {
  readonly merged: unknown
  /** Both sides changed it, to different values. */
  readonly contested: boolean
}

/** Both edits in one entity. */
export interface ThreeWayMerge {
  readonly entity: SyncedEntity
  /** Every field but `id`, in the order in which they are met: base, local, remote. */
  readonly fields: readonly FieldMerge[]
}

/** How to merge. */
export interface MergeOptions {
  /**
   * Objects inside the entity: `whole` (the default) takes one side's or the other's, as with any value, so that
   * the latitude of one place is never put to the longitude of another. `byField` merges them field by field too.
   */
  readonly objects?: 'whole' | 'byField'
}

/** Types of which different values are never stored as the same bytes; encoding them would be most of a merge. */
const PLAIN: ReadonlySet<string> = new Set(['string', 'number', 'boolean'])

type Values = Readonly<Record<string, unknown>>

/**
 * Merges two edits of one entity. Without a known `base` every difference is contested. `decide` gives a
 * contested field its value; undefined leaves the field out.
 */
export function mergeThreeWay(
  base: SyncedEntity | null | undefined,
  local: SyncedEntity,
  remote: SyncedEntity,
  decide: (field: FieldSides) => unknown,
  { objects = 'whole' }: MergeOptions = {},
): ThreeWayMerge {
  const fields: FieldMerge[] = []
  const merge = (sides: FieldSides): unknown => {
    if (objects === 'byField' && isObject(sides.local) && isObject(sides.remote)) {
      return mergeValues(`${sides.path}.`, objectOf(sides.base), sides.local, sides.remote, merge)
    }
    const field = mergeField(sides, base !== undefined, decide)
    fields.push(field)
    return field.merged
  }
  const values = mergeValues('', base ?? undefined, local, remote, merge)
  return { entity: { ...values, id: local.id }, fields }
}

function mergeValues(
  prefix: string,
  base: Values | undefined,
  local: Values,
  remote: Values,
  merge: (sides: FieldSides) => unknown,
): Values {
  const names = new Set(base === undefined ? [] : Object.keys(base))
  for (const side of [local, remote]) for (const name of Object.keys(side)) names.add(name)
  const merged: Record<string, unknown> = {}
  for (const name of names) {
    if (prefix === '' && name === 'id') continue
    const value = merge({
      path: prefix + name,
      base: own(base, name),
      local: own(local, name),
      remote: own(remote, name),
    })
    if (value !== undefined) setOwn(merged, name, value)
  }
  return merged
}

function mergeField(
  sides: FieldSides,
  isBaseKnown: boolean,
  decide: (field: FieldSides) => unknown,
): FieldMerge {
  const { path, base, local, remote } = sides
  const isLocal = isSame(local, remote)
  if (!isLocal && isBaseKnown && isSame(local, base)) {
    return { path, base, local, remote, merged: remote, contested: false }
  }
  if (isLocal || (isBaseKnown && isSame(remote, base))) {
    return { path, base, local, remote, merged: local, contested: false }
  }
  return { path, base, local, remote, merged: decide(sides), contested: true }
}

/** Two values are the same when they are stored as the same bytes. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined || Object.is(a, b)) return Object.is(a, b)
  if (typeof a === typeof b && PLAIN.has(typeof a) && a !== b) return false
  if (Array.isArray(a) && Array.isArray(b) && a.every((value, i) => isSame(value, b[i]))) {
    return a.length === b.length
  }
  return sameBytes(encodeEntity({ id: 'value', value: a }), encodeEntity({ id: 'value', value: b }))
}

function own(values: Values | undefined, name: string): unknown {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined
}

/** Any name, `__proto__` too, becomes a property like any other. */
function setOwn(values: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') values[name] = value
  else
    Object.defineProperty(values, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
}

function objectOf(value: unknown): Values | undefined {
  return isObject(value) ? value : undefined
}

function isObject(value: unknown): value is Values {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  )
}
