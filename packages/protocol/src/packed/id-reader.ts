/** Reads the ids of a packed page, which lie behind each other without heads. */
import { ENTITY_ID_BYTES_MAX } from '../identifiers.ts'
import { uint } from '../item-codecs.ts'
import { ByteRun } from './byte-run.ts'
import type { ColumnReader } from './column-reader.ts'
import type { ColumnName } from './packed-operations.ts'

const idSize = uint(1, ENTITY_ID_BYTES_MAX)

export class IdReader {
  readonly #sizes: ColumnReader
  readonly #ids: ColumnReader
  /** All of them in UTF-8. */
  readonly run: ByteRun

  constructor(column: (name: ColumnName) => ColumnReader) {
    this.#sizes = column('entityIdSizes')
    this.#ids = column('entityIds')
    this.run = new ByteRun(this.#ids.columnBytes)
  }

  next(): string {
    return this.#ids.nextText(this.#sizes.next(idSize))
  }

  /** Where the one that was read last begins in `run`, and where it ends. */
  get lastStart(): number {
    return this.#ids.lastStart
  }

  get lastEnd(): number {
    return this.#ids.position
  }

  /** Fails if one is left. */
  assertEnd(): void {
    this.#sizes.assertEnd()
    this.#ids.assertEnd()
  }
}
