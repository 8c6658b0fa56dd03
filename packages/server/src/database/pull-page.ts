/**
 * One page of the oplog. Rows may be missing (compacted); the cursor order is what counts. A page is bounded
 * in operations, bytes and rows looked at, but never ends inside a group: it ends before a group that
 * does not fit, unless it would be empty.
 */
import type { RawEntity } from '@entidb/core'
import { type ServerReader, sortableNumber } from './collections.ts'
import { type PulledRow, readPulledRow } from './oplog-row.ts'

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

/** Rows are read in batches of about this many bytes. */
const BATCH_BYTES = 1024 * 1024
const BATCH_ROWS_MAX = 1024
const FIRST_BATCH_ROWS = 64

export async function readPage(reader: ServerReader, request: PageRequest): Promise<OplogPage> {
  const page = new PageBuilder(request.bounds, request.sinceCursor, request.isVisible)
  for (let rowsMax = FIRST_BATCH_ROWS; ; ) {
    const rows = await reader.collection('server_oplog').nextRaw({
      after: sortableNumber(page.examinedThrough),
      limit: rowsMax,
    })
    for (const { bytes } of rows) if (!page.add(readPulledRow(bytes))) return page.cut()
    if (rows.length < rowsMax) return { ops: page.ops, nextCursor: request.head }
    rowsMax = nextBatchRows(rows)
  }
}

function nextBatchRows(rows: readonly RawEntity[]): number {
  const bytes = rows.reduce((sum, row) => sum + row.bytes.length, 0)
  const rowBytes = Math.max(1, bytes / rows.length)
  return Math.max(1, Math.min(BATCH_ROWS_MAX, Math.floor(BATCH_BYTES / rowBytes)))
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
