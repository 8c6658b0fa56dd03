/** What the entities of a shape have in common, as bytes: the head of the map, and the keys without their values. */
import { CborWriter } from '@entidb/core/cbor'

export interface ShapeFrame {
  /** The head of the map and the keys behind each other. */
  readonly bytes: Uint8Array
  /** Where the head ends and the first key begins. */
  readonly headEnd: number
  /** Where each key ends and the next one begins. */
  readonly keyEnds: readonly number[]
}

export function shapeFrameOf(keys: readonly string[]): ShapeFrame {
  const writer = new CborWriter()
  writer.writeMapHeader(keys.length)
  const headEnd = writer.length
  const keyEnds = keys.map((key) => {
    writer.writeText(key)
    return writer.length
  })
  return { bytes: writer.take(), headEnd, keyEnds }
}
