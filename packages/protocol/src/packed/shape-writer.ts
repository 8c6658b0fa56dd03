/** A shape of a page that is being packed: tells which entities have it, and takes them apart. */
import { CborReader, DEPTH_MAX, skipItem } from '@entidb/core/cbor'
import { ByteColumn } from './byte-column.ts'
import type { ByteRun } from './byte-run.ts'
import { type EntityShape, SHAPE_KEYS_MAX } from './entity-shapes.ts'
import { type ShapeFrame, shapeFrameOf } from './shape-frame.ts'

/** What entities of one shape have in common. */
export interface ShapeKeys {
  readonly keys: readonly string[]
  /** Which of them is `id`; -1: none. */
  readonly idKey: number
  /** Whether its value is the id of the operation. */
  readonly isIdKnown: boolean
}

/** Undefined for what cannot be taken apart: no map, too many keys, or heads and texts that only its own bytes say. */
export function shapeKeysOf(entity: Uint8Array, id: Uint8Array): ShapeKeys | undefined {
  const reader = new CborReader(entity)
  try {
    const keys: string[] = []
    let idKey = -1
    let isIdKnown = false
    const count = reader.readMapHeader()
    if (count > SHAPE_KEYS_MAX) return undefined
    for (let i = 0; i < count; i++) {
      const key = reader.readText()
      keys.push(key)
      if (key === 'id') {
        idKey = i
        isIdKnown = reader.passIf(id)
        if (isIdKnown) continue
      }
      reader.skip(DEPTH_MAX)
    }
    return reader.atEnd ? { keys, idKey, isIdKnown } : undefined
  } catch {
    // Not CBOR, or not in its shortest form.
    return undefined
  }
}

export class ShapeWriter {
  readonly #shape: ShapeKeys
  readonly #frame: ShapeFrame
  readonly #columns: readonly ByteColumn[]

  constructor(shape: ShapeKeys) {
    this.#shape = shape
    this.#frame = shapeFrameOf(shape.keys)
    this.#columns = shape.keys.map(() => new ByteColumn())
  }

  /** Bytes that are taken out of each entity, but for its id. */
  get keyBytes(): number {
    return this.#frame.bytes.length
  }

  /**
   * Takes the entity apart that is `from[start, end)`, of an operation whose id is `id`, if it is exactly these keys and
   * values of its own; else nothing is written.
   */
  write(from: ByteRun, start: number, end: number, id: Uint8Array): boolean {
    const { bytes } = from
    const columns = this.#columns
    const { bytes: frame, headEnd, keyEnds } = this.#frame
    const { idKey, isIdKnown } = this.#shape
    let at = passIf(bytes, start, end, frame, 0, headEnd)
    if (at < 0) return false
    let keyStart = headEnd
    let written = 0
    try {
      for (; written < columns.length; written++) {
        const keyEnd = keyEnds[written] as number
        const value = passIf(bytes, at, end, frame, keyStart, keyEnd)
        if (value < 0) break
        keyStart = keyEnd
        at = skipItem(bytes, value, end, DEPTH_MAX)
        if (written === idKey) {
          if ((passIf(bytes, value, at, id, 0, id.length) === at) !== isIdKnown) break
          if (isIdKnown) continue
        }
        const column = columns[written] as ByteColumn
        column.append(from, value, at)
      }
      if (written === columns.length && at === end) return true
    } catch {
      // The value of a key is no item: nothing was written of it.
    }
    for (let i = 0; i < written; i++) if (i !== idKey || !isIdKnown) columns[i]?.undo()
    return false
  }

  /** With the values of all entities that were taken apart. */
  get written(): EntityShape {
    const { keys, idKey, isIdKnown } = this.#shape
    const values = this.#columns.map((column) => column.written)
    return isIdKnown ? { keys, idIndex: idKey, values } : { keys, values }
  }
}

/** Where `wanted[start, end)` ends that lies in `bytes` at `at`, before `bytesEnd`; -1: others lie there. */
function passIf(
  bytes: Uint8Array,
  at: number,
  bytesEnd: number,
  wanted: Uint8Array,
  start: number,
  end: number,
): number {
  const behind = at + end - start
  if (behind > bytesEnd) return -1
  for (let i = start, j = at; i < end; i++, j++) if (bytes[j] !== wanted[i]) return -1
  return behind
}
