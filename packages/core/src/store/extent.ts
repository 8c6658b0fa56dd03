/** Where something lies in the data file. Specified in `docs/format.md`, "Extents". */

/** The data file is given out in units of this size. */
export const UNIT_BYTES = 512

/** `bytes` encoded bytes from unit `start` on; the rest of the last unit is unused. */
export interface Extent {
  readonly start: number
  readonly bytes: number
}

export function unitsOf(bytes: number): number {
  return Math.ceil(bytes / UNIT_BYTES)
}
