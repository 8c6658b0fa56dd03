/** Reads the ids of a packed page, which lie behind each other without heads. */
import { ENTITY_ID_BYTES_MAX } from '../identifiers.ts'
import { uint } from '../item-codecs.ts'
import type { ColumnReader } from './column-reader.ts'
import type { ColumnName } from './packed-operations.ts'

const idSize = uint(1, ENTITY_ID_BYTES_MAX)

export class IdReader {
  readonly #sizes: ColumnReader
  readonly #ids: ColumnReader

  constructor(column: (name: ColumnName) => ColumnReader) {
    this.#sizes = column('entityIdSizes')
    this.#ids = column('entityIds')
  }

  next(): string {
    return this.#ids.nextText(this.#sizes.next(idSize))
  }

  /** The one that was read last, in UTF-8. */
  get lastBytes(): Uint8Array {
    return this.#ids.lastBytes
  }

  /** Fails if one is left. */
  assertEnd(): void {
    this.#sizes.assertEnd()
    this.#ids.assertEnd()
  }
}
