/** The forms in which entities leave and enter a database. `docs/data-formats.md` describes each. */
import { extname } from 'node:path'
import { UsageError } from '../cli/usage-error.ts'

const FORMATS = ['ndjson', 'json', 'csv', 'cbor'] as const

/** NDJSON, one array of JSON, CSV with a header, or a CBOR sequence. */
export type DataFormat = (typeof FORMATS)[number]

const FORMATS_BY_EXTENSION: ReadonlyMap<string, DataFormat> = new Map([
  ['.ndjson', 'ndjson'],
  ['.jsonl', 'ndjson'],
  ['.json', 'json'],
  ['.csv', 'csv'],
  ['.cbor', 'cbor'],
  ['.cborseq', 'cbor'],
])

/** The format that was asked for, else that of the file's name; undefined for a name that tells none. */
export function formatOf(asked: string | undefined, fileName: string): DataFormat | undefined {
  if (asked === undefined) return FORMATS_BY_EXTENSION.get(extname(fileName).toLowerCase())
  const format = FORMATS.find((name) => name === asked)
  if (format === undefined) {
    throw new UsageError(`--format is one of ${FORMATS.join(', ')}, not ${asked}`)
  }
  return format
}
