/** Codecs of arrays and of maps from collection names. */
import type { Codec } from './codec.ts'
import type { PathSegment } from './invalid-message.ts'
import { collectionText } from './item-codecs.ts'
import type { MessageReader } from './message-reader.ts'
import { compareKeys } from './record-codec.ts'

/** `countMax`: of items that take far more memory than bytes. */
export function arrayOf<T>(
  item: Codec<T>,
  countMax: number = Number.MAX_SAFE_INTEGER,
): Codec<readonly T[]> {
  return {
    write(writer, values) {
      if (values.length > countMax) throw new TypeError(`Not ${countMax} items: ${values.length}`)
      writer.writeArrayHeader(values.length)
      for (const value of values) item.write(writer, value)
    },
    read(reader) {
      const offset = reader.position
      const count = reader.readArrayHeader()
      if (count > countMax) reader.fail('wrong_length', offset)
      const values: T[] = []
      for (let i = 0; i < count; i++) values.push(readItem(reader, item, i))
      return values
    },
  }
}

/** Exactly two items of one kind. */
export function pairOf<T>(item: Codec<T>): Codec<readonly [T, T]> {
  return {
    write(writer, [first, second]) {
      writer.writeArrayHeader(2)
      item.write(writer, first)
      item.write(writer, second)
    },
    read(reader) {
      const offset = reader.position
      if (reader.readArrayHeader() !== 2) reader.fail('wrong_length', offset)
      return [readItem(reader, item, 0), readItem(reader, item, 1)]
    },
  }
}

/** A map with collection names as keys. The object read has no prototype: `constructor` is a name too. */
export function byCollection<T>(item: Codec<T>): Codec<Readonly<Record<string, T>>> {
  return {
    write(writer, values) {
      const entries = Object.entries(values).sort(([a], [b]) => compareKeys(a, b))
      writer.writeMapHeader(entries.length)
      for (const [name, value] of entries) {
        collectionText.write(writer, name)
        item.write(writer, value)
      }
    },
    read(reader) {
      const values: Record<string, T> = Object.create(null)
      const count = reader.readMapHeader()
      for (let i = 0; i < count; i++) {
        const offset = reader.position
        const name = collectionText.read(reader)
        if (Object.hasOwn(values, name)) reader.fail('duplicate_key', offset)
        values[name] = readItem(reader, item, name)
      }
      return values
    },
  }
}

function readItem<T>(reader: MessageReader, item: Codec<T>, segment: PathSegment): T {
  reader.enter(segment)
  const value = item.read(reader)
  reader.leave()
  return value
}
