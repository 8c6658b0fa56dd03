/**
 * Objects of one collection mostly have the same keys in the same order. Such a list of keys is a
 * shape: its keys encoded and sorted once, then found again by comparing names.
 */
import { CborWriter } from './cbor-writer.ts'

export interface ObjectShape {
  /** In the order the object has them. */
  readonly names: readonly string[]
  /** In the order of their encodings, bytewise (RFC 8949 section 4.2.1). */
  readonly sortedNames: readonly string[]
  /** The encodings of `sortedNames`, one after the other; the i-th ends at `keyEnds[i]`. */
  readonly keyBytes: Uint8Array
  readonly keyEnds: readonly number[]
}

const CACHED_NAMES_MAX = 48
const CACHED_NAME_UNITS_MAX = 64
/** Shapes kept for each number of names; the oldest goes first. */
const CACHED_SHAPES_MAX = 16

/** Finds shapes by their names. Bounded, so that objects used as dictionaries cannot fill memory. */
export class ObjectShapeCache {
  private readonly byCount: ObjectShape[][] = []
  private readonly nextByCount: number[] = []
  private readonly writer = new CborWriter()

  /** The shape of an object with these names, or the first name that is not well-formed text. */
  shapeOf(names: readonly string[]): ObjectShape | string {
    const bucket = this.byCount[names.length]
    if (bucket !== undefined) {
      for (let i = 0; i < bucket.length; i++) {
        const shape = bucket[i] as ObjectShape
        if (sameNames(shape.names, names)) return shape
      }
    }
    const shape = createShape(names, this.writer)
    if (typeof shape !== 'string' && isWorthCaching(names)) this.remember(shape)
    return shape
  }

  private remember(shape: ObjectShape): void {
    const count = shape.names.length
    while (this.byCount.length <= count) {
      this.byCount.push([])
      this.nextByCount.push(0)
    }
    const bucket = this.byCount[count] as ObjectShape[]
    const slot = this.nextByCount[count] as number
    bucket[slot] = shape
    this.nextByCount[count] = (slot + 1) % CACHED_SHAPES_MAX
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}

function isWorthCaching(names: readonly string[]): boolean {
  return (
    names.length <= CACHED_NAMES_MAX && names.every((name) => name.length <= CACHED_NAME_UNITS_MAX)
  )
}

function createShape(names: readonly string[], writer: CborWriter): ObjectShape | string {
  const ends: number[] = []
  for (const name of names) {
    if (!writer.tryWriteText(name)) {
      writer.reset()
      return name
    }
    ends.push(writer.length)
  }
  const encoded = writer.take()
  const startOf = (i: number): number => (i === 0 ? 0 : (ends[i - 1] as number))
  const order = Array.from(names.keys()).sort((a, b) =>
    compareKeys(encoded, startOf(a), startOf(b)),
  )
  const keyEnds: number[] = []
  for (const i of order) {
    writer.writeRawRange(encoded, startOf(i), ends[i] as number)
    keyEnds.push(writer.length)
  }
  const sortedNames = order.map((i) => names[i] as string)
  return { names, sortedNames, keyBytes: writer.take(), keyEnds }
}

/** Two different keys differ before either ends, because their lengths are in their heads. */
function compareKeys(encoded: Uint8Array, a: number, b: number): number {
  for (let i = 0; ; i++) {
    const difference = (encoded[a + i] as number) - (encoded[b + i] as number)
    if (difference !== 0) return difference
  }
}
