/** The shapes of a page that is being packed. */
import { ByteRun } from './byte-run.ts'
import { type EntityShape, KEY_BYTES_MAX, SHAPES_MAX } from './entity-shapes.ts'
import { ShapeWriter, shapeKeysOf } from './shape-writer.ts'

/** So many shapes are tried before the keys of an entity are read to find its own. */
const TRIED_SHAPES = 4

export class PageShapes {
  readonly #writers: ShapeWriter[] = []
  readonly #indexByName = new Map<string, number>()
  #keyBytes = 0
  /** The buffer that the last entity is a view of: many share one. */
  #source = new ByteRun(new Uint8Array(0))

  get all(): readonly EntityShape[] {
    return this.#writers.map((writer) => writer.written)
  }

  /**
   * Takes `entity` apart. `likely`: the index of a shape it may have. Returns that of the shape it has; -1: the entity
   * has to be in the page as it is, and nothing was written.
   */
  write(entity: Uint8Array, id: Uint8Array, likely: number): number {
    if (this.#writeAs(likely, entity, id)) return likely
    const tried = Math.min(this.#writers.length, TRIED_SHAPES)
    for (let i = 0; i < tried; i++) {
      if (i !== likely && this.#writeAs(i, entity, id)) return i
    }
    const index = this.#indexOf(entity, id)
    return this.#writeAs(index, entity, id) ? index : -1
  }

  #writeAs(index: number, entity: Uint8Array, id: Uint8Array): boolean {
    const writer = this.#writers[index]
    if (writer === undefined || !this.#hasRoomFor(writer)) return false
    const { buffer, byteOffset, length } = entity
    if (buffer !== this.#source.bytes.buffer) this.#source = new ByteRun(new Uint8Array(buffer))
    if (!writer.write(this.#source, byteOffset, byteOffset + length, id)) return false
    this.#keyBytes += writer.keyBytes
    return true
  }

  #hasRoomFor(writer: ShapeWriter): boolean {
    return this.#keyBytes + writer.keyBytes <= KEY_BYTES_MAX
  }

  /** Of the shape of `entity`, which may be a new one; -1: none. */
  #indexOf(entity: Uint8Array, id: Uint8Array): number {
    const shape = shapeKeysOf(entity, id)
    if (shape === undefined) return -1
    const name = JSON.stringify([shape.isIdKnown, shape.keys])
    const known = this.#indexByName.get(name)
    if (known !== undefined) return known
    if (this.#writers.length === SHAPES_MAX) return -1
    const writer = new ShapeWriter(shape)
    // A shape that no entity of the page can have is not begun.
    if (!this.#hasRoomFor(writer)) return -1
    this.#indexByName.set(name, this.#writers.length)
    return this.#writers.push(writer) - 1
  }
}
