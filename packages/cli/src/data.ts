/**
 * `entidb/data`: what `entidb import` and `entidb export` do, for programs that have the database open.
 * `docs/data-formats.md` describes the formats and has examples.
 */

export type { CellType } from './data/csv/csv-cell.ts'
export type { ColumnTypes } from './data/csv/csv-columns.ts'
export type { CsvOptions } from './data/csv/read-csv.ts'
export { csvReader, inferColumnTypes } from './data/csv/read-csv.ts'
export type { DataFormat } from './data/data-format.ts'
export {
  type ImportDatabase,
  type ImportOptions,
  type ImportReport,
  importCollection,
} from './data/import/import-collection.ts'
export { type ImportSource, importSource } from './data/import/import-source.ts'
export type {
  InputPlace,
  InputPosition,
  InputRecord,
  RecordReader,
} from './data/input/input-record.ts'
export { readCborSequence } from './data/input/read-cbor-sequence.ts'
export { readJsonArray } from './data/input/read-json-array.ts'
export { readNdjson } from './data/input/read-ndjson.ts'
export { fromJson, JsonFormError, type JsonValue, toJson } from './data/json/json-value.ts'
export {
  type ExportOptions,
  type ExportReport,
  exportCollection,
} from './data/output/export-collection.ts'
export type { FormatOptions } from './data/output/row-format.ts'
export type { RowQuery } from './data/output/stored-rows.ts'
