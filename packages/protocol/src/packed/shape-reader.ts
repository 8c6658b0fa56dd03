/** A shape of a packed page, with its columns read as far as its entities were put together. */
import { DEPTH_MAX, skipItem } from '@entidb/core/cbor'
import type { MessageReader } from '../message-reader.ts'
import { ByteRun, putBytes, SLACK_BYTES } from './byte-run.ts'
import { ColumnReader } from './column-reader.ts'
import type { EntityShape } from './entity-shapes.ts'
import { putText } from './id-item.ts'
import type { IdReader } from './id-reader.ts'
import { type ShapeFrame, shapeFrameOf } from './shape-frame.ts'

export class ShapeReader {
  readonly #frame: ShapeFrame
  readonly #frameRun: ByteRun
  readonly #values: readonly ByteRun[]
  /** Where the next value of each key begins. */
  readonly #positions: number[]
  /** -1: the value of no key is the id of the operation. */
  readonly #idIndex: number
  readonly #place: number
  readonly #outer: MessageReader
  #entities = 0

  /** `place`: that of the shape in `shapes`. */
  constructor(shape: EntityShape, place: number, outer: MessageReader) {
    const { keys, idIndex = -1, values } = shape
    if (values.length !== keys.length) {
      outer.fail('wrong_length', outer.position, ['shapes', place, 'values'])
    }
    if (idIndex >= keys.length) {
      outer.fail('out_of_range', outer.position, ['shapes', place, 'idIndex'])
    }
    this.#frame = shapeFrameOf(keys)
    this.#frameRun = withSlack(this.#frame.bytes)
    this.#values = values.map((column) => new ByteRun(column))
    this.#positions = keys.map(() => 0)
    this.#idIndex = idIndex
    this.#place = place
    this.#outer = outer
  }

  /** Bytes of the head and the keys. */
  get keyBytes(): number {
    return this.#frame.bytes.length
  }

  /** Puts the next entity together in `target` from `start` on, whose id `ids` has read last. Returns where it ends. */
  join(target: ByteRun, start: number, ids: IdReader): number {
    const { headEnd, keyEnds } = this.#frame
    const frame = this.#frameRun
    const values = this.#values
    const positions = this.#positions
    const idIndex = this.#idIndex
    // The head of the map, as if it were of the first key.
    let key = 0
    let at = values.length > 0 ? start : putBytes(target, start, frame, 0, headEnd)
    for (let i = 0; i < values.length; i++) {
      const keyEnd = keyEnds[i] as number
      at = putBytes(target, at, frame, key, keyEnd)
      key = keyEnd
      if (i === idIndex) at = putText(target, at, ids.run, ids.lastStart, ids.lastEnd)
      else {
        const column = values[i] as ByteRun
        const from = positions[i] as number
        const end = this.#endOf(i, column.bytes, from)
        at = putBytes(target, at, column, from, end)
        positions[i] = end
      }
    }
    this.#entities++
    return at
  }

  /** Fails if a value is left. */
  assertEnd(): void {
    for (let i = 0; i < this.#values.length; i++) {
      const column = this.#columnReader(i)
      column.rewind(this.#positions[i] as number)
      column.assertEnd()
    }
  }

  #endOf(key: number, column: Uint8Array, start: number): number {
    try {
      return skipItem(column, start, column.length, DEPTH_MAX)
    } catch (error) {
      const reader = this.#columnReader(key)
      reader.enter(this.#entities)
      throw reader.withPlace(error)
    }
  }

  #columnReader(key: number): ColumnReader {
    return new ColumnReader(
      ['shapes', this.#place, 'values', key],
      this.#values[key]?.bytes,
      this.#outer,
    )
  }
}

/** Of which every part can be read by four bytes at a time. */
function withSlack(bytes: Uint8Array): ByteRun {
  const longer = new Uint8Array(bytes.length + SLACK_BYTES)
  longer.set(bytes)
  return new ByteRun(longer)
}
