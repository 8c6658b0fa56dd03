/**
 * Writes new extents to free space, many per write call, and lets others run in between.
 *
 * An extent is given its place when it is handed over, so that what refers to it can be encoded. If
 * a write then fails, `abandon` takes the place from everything that did not reach the file.
 */
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES, unitsOf } from './extent.ts'
import { EXTENT_HEADER_BYTES, type ExtentKind, extentKinds, sealExtent } from './extent-codec.ts'
import type { LargeValue, Stored } from './node.ts'
import { type Pace, STEP_BYTES } from './pace.ts'
import type { PageFile } from './page-file.ts'
import type { SpaceMap } from './space.ts'

const BATCH_UNITS = STEP_BYTES / UNIT_BYTES
/** Larger values are written from where they are. */
const GATHERED_VALUE_BYTES_MAX = 64 * 1024

export class ExtentWriter {
  readonly #pages: PageFile
  readonly #space: SpaceMap
  readonly #checksum: Checksum
  readonly #pace: Pace
  readonly #buffer = new Uint8Array(STEP_BYTES)
  #batch: Stored[] = []
  #batchStart = 0
  #batchUnits = 0

  constructor(pages: PageFile, space: SpaceMap, checksum: Checksum, pace: Pace) {
    this.#pages = pages
    this.#space = space
    this.#checksum = checksum
    this.#pace = pace
  }

  /** Gives `stored` a place for an extent of `bytes` bytes. `write` follows. */
  place(stored: Stored, bytes: number): Extent {
    const extent = { start: this.#space.allocate(unitsOf(bytes)), bytes }
    stored.extent = extent
    return extent
  }

  /** `place` and `write` in one. */
  add(
    stored: Stored,
    kind: ExtentKind,
    count: number,
    bytes: Uint8Array,
  ): Promise<void> | undefined {
    return this.write(stored, this.place(stored, bytes.length), kind, count, bytes)
  }

  /**
   * `bytes` is the whole of `extent`, with room for its header. A promise is answered, and has to be
   * waited for, when a batch is full.
   */
  write(
    stored: Stored,
    extent: Extent,
    kind: ExtentKind,
    count: number,
    bytes: Uint8Array,
  ): Promise<void> | undefined {
    const payload = bytes.subarray(EXTENT_HEADER_BYTES)
    this.#seal(bytes, kind, count, extent, payload.length, this.#checksum(payload))
    const units = unitsOf(bytes.length)
    if (units > BATCH_UNITS) return this.#writeAlone(stored, extent, bytes)
    if (this.#follows(extent) && this.#batchUnits + units <= BATCH_UNITS) {
      this.#append(stored, bytes, units)
      return undefined
    }
    return this.#writeInNewBatch(stored, extent, bytes)
  }

  /** Gives `value`, which is in memory, its extent; afterwards it need not be in memory. */
  addValue(value: LargeValue, bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length > GATHERED_VALUE_BYTES_MAX) return this.#addHugeValue(value, bytes)
    const extent = new Uint8Array(EXTENT_HEADER_BYTES + bytes.length)
    extent.set(bytes, EXTENT_HEADER_BYTES)
    return this.add(value, extentKinds.value, 1, extent)
  }

  async #addHugeValue(value: LargeValue, bytes: Uint8Array): Promise<void> {
    const extent = this.place(value, EXTENT_HEADER_BYTES + bytes.length)
    const header = new Uint8Array(EXTENT_HEADER_BYTES)
    let payloadChecksum = 0
    for (let offset = 0; offset < bytes.length; offset += STEP_BYTES) {
      payloadChecksum = this.#checksum(bytes.subarray(offset, offset + STEP_BYTES), payloadChecksum)
      await this.#pace.did(STEP_BYTES)
    }
    this.#seal(header, extentKinds.value, 1, extent, bytes.length, payloadChecksum)
    await this.#writePieces(value, extent, [header, bytes])
  }

  /** Writes what is gathered. */
  async flush(): Promise<void> {
    if (this.#batch.length === 0) return
    const bytes = this.#buffer.subarray(0, this.#batchUnits * UNIT_BYTES)
    await this.#pages.file.writeAt(this.#batchStart * UNIT_BYTES, bytes)
    this.#batch = []
    this.#batchUnits = 0
    await this.#pace.did(bytes.length)
  }

  /** Takes the place from everything that was handed over and not written. */
  abandon(): void {
    for (const stored of this.#batch.splice(0)) this.#giveUp(stored)
    this.#batchUnits = 0
  }

  #follows(extent: Extent): boolean {
    if (this.#batch.length > 0) return extent.start === this.#batchStart + this.#batchUnits
    this.#batchStart = extent.start
    return true
  }

  #append(stored: Stored, bytes: Uint8Array, units: number): void {
    const offset = this.#batchUnits * UNIT_BYTES
    this.#buffer.set(bytes, offset)
    this.#buffer.fill(0, offset + bytes.length, offset + units * UNIT_BYTES)
    this.#batchUnits += units
    this.#batch.push(stored)
  }

  async #writeInNewBatch(stored: Stored, extent: Extent, bytes: Uint8Array): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      this.#giveUp(stored)
      throw error
    }
    this.#batchStart = extent.start
    this.#append(stored, bytes, unitsOf(bytes.length))
  }

  /** What it refers to must be written before it, hence the batch goes first. */
  async #writeAlone(stored: Stored, extent: Extent, bytes: Uint8Array): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      this.#giveUp(stored)
      throw error
    }
    await this.#writePieces(stored, extent, [bytes])
  }

  async #writePieces(stored: Stored, extent: Extent, pieces: readonly Uint8Array[]): Promise<void> {
    let offset = extent.start * UNIT_BYTES
    try {
      for (const piece of pieces) {
        for (let from = 0; from < piece.length; from += STEP_BYTES) {
          const part = piece.subarray(from, from + STEP_BYTES)
          await this.#pages.file.writeAt(offset, part)
          offset += part.length
          await this.#pace.did(part.length)
        }
      }
    } catch (error) {
      this.#giveUp(stored)
      throw error
    }
  }

  #giveUp(stored: Stored): void {
    const { extent } = stored
    if (extent !== undefined) this.#space.free(extent.start, unitsOf(extent.bytes))
    stored.extent = undefined
  }

  #seal(
    head: Uint8Array,
    kind: ExtentKind,
    count: number,
    extent: Extent,
    payloadBytes: number,
    payloadChecksum: number,
  ): void {
    const header = { kind, count, start: extent.start, storeId: this.#pages.storeId }
    sealExtent(head, header, payloadBytes, payloadChecksum, this.#checksum)
  }
}
