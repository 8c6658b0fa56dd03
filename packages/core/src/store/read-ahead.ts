/**
 * What a scan reads of the data file in one call: the extent that it needs now, and those near it that it needs
 * next. Leaves that a checkpoint wrote one after the other lie beside each other.
 *
 * The bytes are checked when their extent is asked for: what is damaged, or cannot be read, fails the read of that
 * extent and of no other. Only extents that the scan's state had in the file when it was read are found: what lies
 * between them may be written to meanwhile, and be an extent of that state too once a checkpoint has written it.
 */
import { type Extent, UNIT_BYTES, unitsOf } from './extent.ts'
import type { NodeRef } from './node.ts'

/** More in one call costs no less for each extent. Also what a scan holds of the file at most. */
const AHEAD_BYTES_MAX = 64 * 1024
/** To read so much for nothing costs less than another call. */
const GAP_UNITS_MAX = 16

/** The nodes that a scan comes to after `children[index]`, in steps of `step`, at most `count`. */
export interface Upcoming {
  readonly children: readonly NodeRef[]
  readonly index: number
  readonly step: 1 | -1
  readonly count: number
}

/** Extents near each other, and the stretch of the file that they lie in. */
export interface Run {
  readonly extents: readonly Extent[]
  readonly stretch: Extent
}

export class ReadAhead {
  #run: Run | undefined
  #bytes: Uint8Array = new Uint8Array(0)

  /** The bytes of `extent` as the file had them: too few where it ended. Undefined: they were not read. */
  find(extent: Extent): Uint8Array | undefined {
    const run = this.#run
    if (!run?.extents.includes(extent)) return undefined
    const from = (extent.start - run.stretch.start) * UNIT_BYTES
    return this.#bytes.subarray(from, from + extent.bytes)
  }

  /** `bytes` are those of the run's stretch, and stay as they are. */
  keep(run: Run, bytes: Uint8Array): void {
    this.#run = run
    this.#bytes = bytes
  }
}

/** Of `extent` and those that are needed next, as long as they lie near each other. */
export function runFrom(extent: Extent, { children, index, step, count }: Upcoming): Run {
  const extents = [extent]
  let stretch = extent
  for (let i = 1; i <= count; i++) {
    const next = children[index + i * step]
    if (next?.node !== undefined) continue
    if (next?.extent === undefined) break
    const longer = joined(stretch, next.extent)
    if (longer === undefined) break
    extents.push(next.extent)
    stretch = longer
  }
  return { extents, stretch }
}

/** Undefined: they lie too far apart, or are too much together. */
function joined(stretch: Extent, next: Extent): Extent | undefined {
  const [first, last] = next.start > stretch.start ? [stretch, next] : [next, stretch]
  const gap = last.start - first.start - unitsOf(first.bytes)
  const bytes = (last.start - first.start) * UNIT_BYTES + last.bytes
  if (gap < 0 || gap > GAP_UNITS_MAX || bytes > AHEAD_BYTES_MAX) return undefined
  return { start: first.start, bytes }
}
