/** Some fields of encoded entities, without building the others. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { EntityScanner } from '../cbor/entity-scanner.ts'

export class FieldExtractor {
  readonly #names: readonly string[]
  readonly #scanner: EntityScanner

  /** Names of fields of the entity itself. */
  constructor(names: readonly string[]) {
    this.#names = names
    this.#scanner = new EntityScanner(names)
  }

  /** Those fields that the entity has. Error: `invalid_cbor`. */
  extract(bytes: Uint8Array): object {
    this.#scanner.scan(bytes)
    const { starts, ends } = this.#scanner
    const fields: Record<string, unknown> = {}
    for (let i = 0; i < this.#names.length; i++) {
      const start = starts[i] as number
      if (start < 0) continue
      // One name for each slot.
      const name = this.#names[i] as string
      const value = decodeEntity(bytes, start, ends[i] as number)
      if (name === '__proto__') Object.defineProperty(fields, name, { value, enumerable: true })
      else fields[name] = value
    }
    return fields
  }

  /** Are those fields the same in two entities? Also false where that takes more than a look. */
  isSame(fields: object, others: object): boolean {
    const [a, b] = [fields, others] as Readonly<Record<string, unknown>>[]
    return this.#names.every((name) => a?.[name] === b?.[name])
  }
}
