/** How large an entity may be. Both directions of the codec, and every peer, agree on depth and bigints. */

/** Arrays and maps nest this deep at most; the entity itself is the first level. */
export const DEPTH_MAX = 64

/** Bytes of a bigint's magnitude. Some engines hold no more than twice that. */
export const BIGINT_BYTES_MAX: number = 64 * 1024

/** Default of `maxEntityBytes`: 16 MiB. */
export const ENTITY_BYTES_MAX: number = 16 * 1024 * 1024

/** Bounds of what `encodeEntity` takes. */
export interface EntityLimits {
  /** Encoded size in bytes, default 16 MiB. */
  readonly maxEntityBytes?: number
}

/** Of what is stored already, whatever its size. */
export const NO_LIMIT: EntityLimits = { maxEntityBytes: Number.MAX_SAFE_INTEGER }
