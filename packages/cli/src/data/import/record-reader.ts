/** The reader for the format of an import. */
import { type CsvOptions, csvReader, inferColumnTypes } from '../csv/read-csv.ts'
import type { DataFormat } from '../data-format.ts'
import type { RecordReader } from '../input/input-record.ts'
import { readCborSequence } from '../input/read-cbor-sequence.ts'
import { readJsonArray } from '../input/read-json-array.ts'
import { readNdjson } from '../input/read-ndjson.ts'
import type { ImportSource } from './import-source.ts'
import { locatingErrors } from './locating-errors.ts'

/** Of CSV in a file, looks at all of it for the types of columns that `csv` does not name. */
export async function recordReader(
  format: DataFormat,
  source: ImportSource,
  csv: CsvOptions,
): Promise<RecordReader> {
  switch (format) {
    case 'ndjson':
      return readNdjson
    case 'json':
      return readJsonArray
    case 'cbor':
      return readCborSequence
    case 'csv': {
      const canReadTwice = source.bytes !== undefined
      if (!canReadTwice) return csvReader(csv)
      const types = await locatingErrors(source.path, undefined, () =>
        inferColumnTypes(source.chunks(), csv),
      )
      return csvReader({ ...csv, types })
    }
  }
}
