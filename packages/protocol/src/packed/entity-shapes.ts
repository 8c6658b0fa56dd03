/**
 * The shapes of a packed page. Entities of one shape are maps of the same keys: these are there once, and the values
 * of each key are a column. Every other entity is in the page as it is.
 */
import { arrayOf } from '../array-codecs.ts'
import type { Codec } from '../codec.ts'
import { bytes, text, uint } from '../item-codecs.ts'
import { optional, record, required } from '../record-codec.ts'

/** Shapes in a page, and keys in a shape. More would take far more memory than bytes on the wire. */
export const SHAPES_MAX = 128
export const SHAPE_KEYS_MAX = 128

/**
 * So many bytes of heads of maps and of keys are put back into the entities of a page at most, 16 MiB: a few bytes of a
 * page could otherwise become any number.
 */
export const KEY_BYTES_MAX: number = 16 * 1024 * 1024

export interface EntityShape {
  /** In the order in which the entities have them. */
  readonly keys: readonly string[]
  /** The key whose value is the id that the operation has anyway. Absent: none. */
  readonly idIndex?: number
  /** For each key the values, a CBOR sequence; empty for that of `idIndex`. */
  readonly values: readonly Uint8Array[]
}

const entityShape = record<EntityShape>({
  keys: required(arrayOf(text, SHAPE_KEYS_MAX)),
  idIndex: optional(uint()),
  values: required(arrayOf(bytes, SHAPE_KEYS_MAX)),
})

export const entityShapes: Codec<readonly EntityShape[]> = arrayOf(entityShape, SHAPES_MAX)
