/** Stored entities as text or bytes of a format. */
import { decodeEntity } from '@entidb/core/cbor'
import { ColumnCollector, csvHeader, csvRow } from '../csv/csv-text.ts'
import { pickFields } from '../csv/field-path.ts'
import type { DataFormat } from '../data-format.ts'
import { entityToJsonText } from '../json/entity-json.ts'
import { toJson } from '../json/json-value.ts'

/** How entities are written. */
export interface FormatOptions {
  /** `docs/data-formats.md` describes each. */
  readonly format: DataFormat
  /** Only these, by path; of CSV the columns. Absent: everything. Not for CBOR. */
  readonly fields?: readonly (readonly string[])[] | undefined
  /** Between the cells of CSV. */
  readonly delimiter: string
}

/** The stored bytes of entities; iterated once more for each call. */
export type Rows = () => AsyncIterable<Uint8Array>

export type Pieces = AsyncGenerator<string | Uint8Array, void, undefined>

export function formatRows(rows: Rows, options: FormatOptions): Pieces {
  switch (options.format) {
    case 'ndjson':
      return ndjson(rows, jsonOf(options))
    case 'json':
      return jsonArray(rows, jsonOf(options))
    case 'csv':
      return csv(rows, options)
    case 'cbor':
      return cborSequence(rows)
  }
}

type JsonOfRow = (bytes: Uint8Array) => string

function jsonOf({ fields }: FormatOptions): JsonOfRow {
  if (fields === undefined) return entityToJsonText
  return (bytes) => JSON.stringify(toJson(pickFields(decodeEntity(bytes), fields)))
}

async function* ndjson(rows: Rows, json: JsonOfRow): Pieces {
  for await (const bytes of rows()) yield `${json(bytes)}\n`
}

async function* jsonArray(rows: Rows, json: JsonOfRow): Pieces {
  let before = '[\n'
  for await (const bytes of rows()) {
    yield before + json(bytes)
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

async function* csv(rows: Rows, { fields, delimiter }: FormatOptions): Pieces {
  const paths = fields ?? (await collectColumns(rows))
  yield csvHeader(paths, delimiter)
  for await (const bytes of rows()) yield csvRow(decodeEntity(bytes), paths, delimiter)
}

/** They are in the first line, and so known only when everything was looked at. */
async function collectColumns(rows: Rows): Promise<readonly (readonly string[])[]> {
  const columns = new ColumnCollector()
  for await (const bytes of rows()) columns.add(decodeEntity(bytes))
  return columns.paths
}

async function* cborSequence(rows: Rows): Pieces {
  yield* rows()
}
