/** Some fields of encoded entities, without building the others. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { EntityScanner } from '../cbor/entity-scanner.ts'
import { setOwn } from './field-path.ts'

export class FieldExtractor {
  readonly #names: readonly string[]
  readonly #before: EntityScanner
  readonly #after: EntityScanner

  /** Names of fields of the entity itself. */
  constructor(names: readonly string[]) {
    this.#names = names
    this.#before = new EntityScanner(names)
    this.#after = new EntityScanner(names)
  }

  /**
   * Those fields that an entity had before and has after a change: of each state, or once where they are the same
   * bytes, as most changes leave them. Undefined: there was, or is, no such entity. Error: `invalid_cbor`.
   */
  extract(before: Uint8Array | undefined, after: Uint8Array | undefined): readonly object[] {
    if (before !== undefined) this.#before.scan(before)
    if (after !== undefined) this.#after.scan(after)
    if (before !== undefined && after !== undefined && this.#isSame(before, after)) {
      return [this.#fieldsOf(after, this.#after)]
    }
    const forms: object[] = []
    if (before !== undefined) forms.push(this.#fieldsOf(before, this.#before))
    if (after !== undefined) forms.push(this.#fieldsOf(after, this.#after))
    return forms
  }

  #isSame(before: Uint8Array, after: Uint8Array): boolean {
    for (let i = 0; i < this.#names.length; i++) {
      // A place for each name.
      const start = this.#before.starts[i] as number
      const otherStart = this.#after.starts[i] as number
      if (start < 0 !== otherStart < 0) return false
      if (start < 0) continue
      const length = (this.#before.ends[i] as number) - start
      if ((this.#after.ends[i] as number) - otherStart !== length) return false
      for (let k = 0; k < length; k++) {
        if (before[start + k] !== after[otherStart + k]) return false
      }
    }
    return true
  }

  #fieldsOf(bytes: Uint8Array, { starts, ends }: EntityScanner): object {
    const fields: Record<string, unknown> = {}
    for (let i = 0; i < this.#names.length; i++) {
      const start = starts[i] as number
      if (start < 0) continue
      setOwn(fields, this.#names[i] as string, decodeEntity(bytes, start, ends[i] as number))
    }
    return fields
  }
}
