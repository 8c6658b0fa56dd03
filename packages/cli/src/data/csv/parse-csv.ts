/** CSV text to rows with their positions. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import {
  type InputPlace,
  type InputPosition,
  invalidInput,
  RECORD_BYTES_MAX,
} from '../input/input-record.ts'
import type { Cell } from './csv-columns.ts'

export interface CsvRow {
  readonly cells: readonly Cell[]
  readonly place: InputPlace
  /** `records` counts the header. */
  readonly end: InputPosition
}

/** Error: `invalid_input` for text that is no CSV. */
export async function* parseCsv(
  chunks: AsyncIterable<Uint8Array>,
  delimiter: string,
): AsyncGenerator<CsvRow, void, undefined> {
  const parser = parse({
    bom: true,
    cast: (text, { quoting }): Cell => (text === '' && !quoting ? undefined : text),
    delimiter,
    info: true,
    max_record_size: RECORD_BYTES_MAX,
    relax_column_count: true,
    skip_empty_lines: true,
  })
  // What it fails with is thrown by the loop.
  pipeline(Readable.from(chunks), parser).catch(() => {})
  let [offset, line] = [0, 1]
  try {
    for await (const { record, info } of parser) {
      const end = { bytes: info.bytes, lines: info.lines, records: info.records }
      yield { cells: record, place: { offset, line }, end }
      offset = end.bytes
      line = end.lines + 1
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw invalidInput({ offset, line }, `no CSV: ${cause.message}`, cause)
  } finally {
    parser.destroy()
  }
}
