import { type CborReader, encodeEntity } from '@entidb/core/cbor'

/** Text that is mostly the same as in the row before: one string serves them all. */
export class RepeatedText {
  #text = ''
  #encoded = encodeEntity('')

  read(reader: CborReader): string {
    if (reader.passIf(this.#encoded)) return this.#text
    this.#text = reader.readText()
    this.#encoded = encodeEntity(this.#text)
    return this.#text
  }
}
