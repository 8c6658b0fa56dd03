/**
 * How far an import is, kept in the database itself: written in the same transaction as the records, so that
 * whenever the process dies it says exactly which of them are there. Gone when the import is finished.
 */
import { EntiDBError } from '@entidb/core'
import { readToolState, writeToolState } from '@entidb/core/tools'
import type { DataFormat } from '../data-format.ts'
import type { InputPosition } from '../input/input-record.ts'

export interface ImportState extends InputPosition {
  readonly format: DataFormat
  /** Of the input's first `bytes`: SHA-256, in base64. */
  readonly sha256: string
}

/** One import at a time into each collection. */
const keyOf = (collection: string): string => `import:${collection}`

/** In the transaction `tx`. Undefined when no import into the collection is unfinished. */
export async function readImportState(
  tx: object,
  collection: string,
): Promise<ImportState | undefined> {
  // Written by `writeImportState`.
  return (await readToolState(tx, keyOf(collection))) as ImportState | undefined
}

/** In the transaction `tx`. Undefined: the import is finished. */
export function writeImportState(
  tx: object,
  collection: string,
  state: ImportState | undefined,
): Promise<void> {
  return writeToolState(tx, keyOf(collection), state)
}

export function importUnfinished(
  collection: string,
  state: ImportState,
  input: string,
): EntiDBError {
  const { format, bytes, records } = state
  return new EntiDBError(
    'import_unfinished',
    `An import into ${collection} is not finished: ${records} records, the first ${bytes} bytes of some ${format} file, and ${input} does not begin with them. Import that file to its end first, or give that up with --restart.`,
    { details: { collection, format, bytes, records } },
  )
}
