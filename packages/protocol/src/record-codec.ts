/**
 * Codec of a map with known text keys. Written with its keys in deterministic order; read in any
 * order. Unknown keys are passed over whatever they hold, as long as it is well-formed, of definite
 * length and nested no deeper than `UNKNOWN_DEPTH_MAX`; a key that comes twice is refused.
 */
import { CborWriter } from '@entidb/core/cbor'
import type { Codec } from './codec.ts'
import type { MessageReader } from './message-reader.ts'

/** How deep the value of an unknown key may nest. */
export const UNKNOWN_DEPTH_MAX = 64

interface Required<T> {
  readonly codec: Codec<T>
  readonly optional: false
}

interface Optional<T> {
  readonly codec: Codec<T>
  readonly optional: true
}

/** Every key of T, with its codec; required and optional exactly as in T. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Required<T[K]>
}

export function required<T>(codec: Codec<T>): Required<T> {
  return { codec, optional: false }
}

export function optional<T>(codec: Codec<T>): Optional<T> {
  return { codec, optional: true }
}

/** Order of text keys in deterministic CBOR: shorter first, then bytewise. For ASCII keys. */
export function compareKeys(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}

export function record<T extends object>(fields: Fields<T>): Codec<T> {
  const plan = planOf(fields)
  return {
    write(writer, value) {
      // A message is a plain object; its fields are the ones that `fields` names.
      const values = value as Readonly<Record<string, unknown>>
      const present = plan.fields.filter((field) => values[field.name] !== undefined)
      writer.writeMapHeader(present.length)
      for (const field of present) {
        writer.writeRaw(field.encodedName)
        field.codec.write(writer, values[field.name])
      }
    },
    read(reader) {
      const values = readFields(reader, plan)
      const message: Record<string, unknown> = {}
      for (let i = 0; i < values.length; i++) {
        if (values[i] !== undefined) message[(plan.fields[i] as PlannedField).name] = values[i]
      }
      // Every required field was read by its own codec.
      return message as T
    },
  }
}

interface PlannedField {
  readonly name: string
  readonly encodedName: Uint8Array
  readonly codec: Codec<unknown>
  readonly optional: boolean
}

interface Plan {
  /** In the order in which they are written. */
  readonly fields: readonly PlannedField[]
  readonly indexByName: ReadonlyMap<string, number>
}

function planOf<T extends object>(fields: Fields<T>): Plan {
  const planned = Object.entries<Required<unknown> | Optional<unknown>>(fields)
    .sort(([a], [b]) => compareKeys(a, b))
    .map(([name, field]) => ({ name, encodedName: encodedText(name), ...field }))
  return {
    fields: planned,
    indexByName: new Map(planned.map((field, index) => [field.name, index])),
  }
}

// Names that alternate are encoded again and again: a writer for each would cost more than they do.
const writer = new CborWriter()

/** The item that is `name`. */
export function encodedText(name: string): Uint8Array {
  writer.reset()
  writer.writeText(name)
  return writer.take()
}

/** The values by index in the plan; undefined where an optional field is absent. */
function readFields(reader: MessageReader, { fields, indexByName }: Plan): readonly unknown[] {
  const mapOffset = reader.position
  const values: unknown[] = new Array(fields.length).fill(undefined)
  let unknownNames: Set<string> | undefined
  let index = -1
  for (let left = reader.readMapHeader(); left > 0; left--) {
    const offset = reader.position
    index = passNameInOrder(reader, fields, index + 1)
    if (index < 0) {
      const name = reader.readText()
      index = indexByName.get(name) ?? -1
      if (index < 0) {
        unknownNames ??= new Set()
        if (unknownNames.has(name)) reader.fail('duplicate_key', offset)
        unknownNames.add(name)
        reader.skip(UNKNOWN_DEPTH_MAX)
        continue
      }
    }
    const field = fields[index] as PlannedField
    reader.enter(field.name)
    if (values[index] !== undefined) reader.fail('duplicate_key', offset)
    values[index] = field.codec.read(reader)
    reader.leave()
  }
  for (let i = 0; i < fields.length; i++) {
    const { name, optional } = fields[i] as PlannedField
    if (!optional && values[i] === undefined) reader.fail('missing_field', mapOffset, [name])
  }
  return values
}

/**
 * Passes over the next key if it is one of `fields` from `start` on, and returns its index, else -1. Keys
 * mostly come in order, and then comparing bytes saves making a string of each.
 */
function passNameInOrder(
  reader: MessageReader,
  fields: readonly PlannedField[],
  start: number,
): number {
  for (let i = start; i < fields.length; i++) {
    if (reader.passIf((fields[i] as PlannedField).encodedName)) return i
  }
  return -1
}
