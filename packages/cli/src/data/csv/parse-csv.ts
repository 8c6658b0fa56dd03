/** CSV text to rows with their positions. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { EntiDBError } from '@entidb/core'
import { CsvError, parse } from 'csv-parse'
import { parse as parseAtOnce } from 'csv-parse/sync'
import {
  type InputPlace,
  type InputPosition,
  invalidInput,
  RECORD_BYTES_MAX,
} from '../input/input-record.ts'
import { utf8Chunks } from '../input/utf8-chunks.ts'
import type { Cell } from './csv-columns.ts'

export interface CsvRow {
  readonly cells: readonly Cell[]
  readonly place: InputPlace
  /** `records` counts the header. */
  readonly end: InputPosition
}

/** Error: `invalid_input` for text that is no CSV or no UTF-8. */
export async function* parseCsv(
  chunks: AsyncIterable<Uint8Array>,
  delimiter: string,
): AsyncGenerator<CsvRow, void, undefined> {
  const options = { bom: true, delimiter, relax_column_count: true }
  const parser = parse({
    ...options,
    info: true,
    max_record_size: RECORD_BYTES_MAX,
    raw: true,
    skip_empty_lines: true,
  })
  // What it fails with is thrown by the loop.
  pipeline(Readable.from(utf8Chunks(chunks)), parser).catch(() => {})
  let [offset, line] = [0, 1]
  try {
    for await (const { record, info, raw } of parser) {
      const end = { bytes: info.bytes, lines: info.lines, records: info.records }
      const cells = record.includes('') ? readEmptyCells(record, raw, options) : record
      yield { cells, place: { offset, line }, end }
      offset = end.bytes
      line = end.lines + 1
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw noCsv(cause)
  } finally {
    parser.destroy()
  }
}

/** The parser drops rows that were not read yet when it fails: its place is not where the last one ended. */
function noCsv(error: CsvError): EntiDBError {
  // The parser's own counts: where the row begins, and the line it was in when it failed.
  const { bytes_records, lines } = error as CsvError & Record<'bytes_records' | 'lines', number>
  const offset = bytes_records
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
    return invalidInput({ offset }, 'no CSV: a quote is opened in this row and not closed', error)
  }
  return invalidInput({ offset, line: lines }, `no CSV: ${error.message}`, error)
}

/**
 * Tells empty text, which is quoted, from no value. The parser knows only while it reads, and asking it for every
 * cell takes most of the time.
 */
function readEmptyCells(
  record: readonly string[],
  raw: string,
  options: { readonly delimiter: string },
): readonly Cell[] {
  const cast = (text: string, { quoting }: { readonly quoting: boolean }): Cell =>
    text === '' && !quoting ? undefined : text
  if (!raw.includes('""')) return record.map((text) => cast(text, { quoting: false }))
  const [cells = []]: Cell[][] = parseAtOnce(raw, { ...options, cast })
  return cells
}
