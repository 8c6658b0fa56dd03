/**
 * One page of the oplog. Rows may be missing (compacted); the cursor order is what counts. A page is bounded
 * in operations, bytes and rows looked at, but never ends inside a group: it ends before a group that
 * does not fit, unless it would be empty.
 */
import type { ServerReader } from './collections.ts'
import type { PulledRow } from './oplog-row.ts'
import { scanOplog } from './oplog-scan.ts'

export interface PageBounds {
  readonly opsMax: number
  readonly bytesMax: number
  /** Rows looked at, hidden ones included. */
  readonly rowsMax: number
}

export interface PageRequest {
  readonly sinceCursor: number
  readonly head: number
  readonly bounds: PageBounds
  /** Undefined: everything is visible. */
  readonly isVisible: ((row: PulledRow) => boolean) | undefined
}

export interface OplogPage {
  /** Encoded operations. */
  readonly ops: readonly Uint8Array[]
  /** The last cursor examined: the head when nothing is left. */
  readonly nextCursor: number
}

export async function readPage(reader: ServerReader, request: PageRequest): Promise<OplogPage> {
  const page = new PageBuilder(request.bounds, request.sinceCursor, request.isVisible)
  for await (const rows of scanOplog(reader, request.sinceCursor)) {
    for (const row of rows) if (!page.add(row)) return page.cut()
  }
  return { ops: page.ops, nextCursor: request.head }
}

class PageBuilder {
  readonly ops: Uint8Array[] = []
  examinedThrough: number
  readonly #bounds: PageBounds
  readonly #isVisible: PageRequest['isVisible']
  #bytes = 0
  #rows = 0
  #previous: PulledRow | undefined
  /** Where the last whole group ended: the page can be cut there. */
  #cutOps = 0
  #cutCursor: number

  constructor(bounds: PageBounds, sinceCursor: number, isVisible: PageRequest['isVisible']) {
    this.#bounds = bounds
    this.#isVisible = isVisible
    this.examinedThrough = sinceCursor
    this.#cutCursor = sinceCursor
  }

  /** False when the row does not fit: the page is to be cut. */
  add(row: PulledRow): boolean {
    if (!isSameGroup(this.#previous, row)) {
      this.#cutOps = this.ops.length
      this.#cutCursor = this.examinedThrough
      if (this.#rows >= this.#bounds.rowsMax) return false
    }
    if (this.#isVisible === undefined || this.#isVisible(row)) {
      const bytes = row.operationCbor.length
      if (this.#cutOps > 0 && !this.#hasRoomFor(bytes)) return false
      this.ops.push(row.operationCbor)
      this.#bytes += bytes
    }
    this.#rows++
    this.#previous = row
    this.examinedThrough = row.serverCursor
    return true
  }

  /** The page up to the end of its last whole group. */
  cut(): OplogPage {
    return { ops: this.ops.slice(0, this.#cutOps), nextCursor: this.#cutCursor }
  }

  #hasRoomFor(bytes: number): boolean {
    return this.ops.length < this.#bounds.opsMax && this.#bytes + bytes <= this.#bounds.bytesMax
  }
}

function isSameGroup(previous: PulledRow | undefined, row: PulledRow): boolean {
  return (
    previous !== undefined &&
    row.tx !== undefined &&
    previous.tx === row.tx &&
    previous.sourceDeviceId === row.sourceDeviceId
  )
}
