/** CSV with a header: one entity in each row. */
import { encodeEntity } from '@entidb/core/cbor'
import type { InputRecord, RecordReader } from '../input/input-record.ts'
import { type CellType, isPlainNumber } from './csv-cell.ts'
import {
  type Cell,
  type ColumnTypes,
  type CsvColumn,
  columnsOf,
  entityOfRow,
} from './csv-columns.ts'
import { parseCsv } from './parse-csv.ts'

/** How CSV is read. */
export interface CsvOptions {
  /** One character between two cells. */
  readonly delimiter: string
  /** Columns that are not named are strings. */
  readonly types: ColumnTypes
}

/** Reads everything from the beginning, for the header, and hands out what comes after the start. */
export function csvReader({ delimiter, types }: CsvOptions): RecordReader {
  return async function* read(chunks, start): AsyncGenerator<InputRecord, void, undefined> {
    let columns: readonly CsvColumn[] | undefined
    for await (const { cells, place, end } of parseCsv(chunks, delimiter)) {
      if (columns === undefined) {
        columns = columnsOf(cells, types, place)
        continue
      }
      const known = columns
      const position = { ...end, records: end.records - 1 }
      if (position.records <= start.records) continue
      yield {
        place,
        end: position,
        encode: () => encodeEntity(entityOfRow(cells, known, place)),
      }
    }
    // For its error: there is no header either.
    if (columns === undefined) columnsOf([], types, { offset: 0, line: 1 })
  }
}

/**
 * What the columns hold that `types` does not name, from all their cells: numbers where every filled one is
 * written as a number is, booleans where each is true or false; strings else.
 */
export async function inferColumnTypes(
  chunks: AsyncIterable<Uint8Array>,
  { delimiter, types }: CsvOptions,
): Promise<ColumnTypes> {
  if (types.has('*')) return types
  let guesses: Guess[] | undefined
  for await (const { cells } of parseCsv(chunks, delimiter)) {
    if (guesses === undefined) guesses = cells.map((name) => new Guess(name ?? ''))
    else for (const [index, guess] of guesses.entries()) guess.see(cells[index])
  }
  const inferred = (guesses ?? []).map(({ name, type }) => [name, type] as const)
  return new Map([...inferred, ...types])
}

class Guess {
  readonly name: string
  #isSeen = false
  #mayBeNumber = true
  #mayBeBoolean = true

  constructor(name: string) {
    this.name = name
  }

  see(cell: Cell): void {
    if (cell === undefined) return
    this.#isSeen = true
    this.#mayBeNumber &&= isPlainNumber(cell)
    this.#mayBeBoolean &&= cell === 'true' || cell === 'false'
  }

  get type(): CellType {
    if (!this.#isSeen || this.name === 'id') return 'string'
    if (this.#mayBeNumber) return 'number'
    return this.#mayBeBoolean ? 'boolean' : 'string'
  }
}
