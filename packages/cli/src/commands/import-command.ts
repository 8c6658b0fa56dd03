/** `entidb import`: entities from a file, or stdin, into a collection. */
import { resolve } from 'node:path'
import type { OnConflict } from '@entidb/core/tools'
import type { CliCommand } from '../cli/cli-command.ts'
import type { CommandArguments } from '../cli/command-arguments.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { UsageError } from '../cli/usage-error.ts'
import { parseColumnTypes } from '../data/csv/csv-columns.ts'
import { type DataFormat, formatOf } from '../data/data-format.ts'
import { importCollection } from '../data/import/import-collection.ts'
import { importSource } from '../data/import/import-source.ts'
import { withImportTarget } from '../data/import/import-target.ts'
import { importText } from '../data/import/import-text.ts'
import { ImportWatch } from '../data/import/import-watch.ts'
import { recordReader } from '../data/import/record-reader.ts'
import { parseDelimiter } from '../data/query-arguments.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'
import { formatBytes } from '../output/units.ts'

const BATCH_DEFAULT = 1000
const BATCH_MAX = 100_000
const CONFLICTS = ['replace', 'skip', 'fail'] as const

export const importCommand: CliCommand = {
  summary: 'Read entities from NDJSON, JSON, CSV or CBOR; goes on where it was broken off',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    collection: { type: 'positional', required: true, description: 'Its name' },
    file: { type: 'positional', required: true, description: 'What to read; - for stdin' },
    format: {
      type: 'string',
      valueHint: 'format',
      description: 'ndjson, json, csv or cbor; default: by the name of the file',
    },
    'on-conflict': {
      type: 'string',
      valueHint: 'what',
      default: 'fail',
      description: 'When the id is there: replace, skip or fail',
    },
    batch: {
      type: 'string',
      valueHint: 'n',
      description: `Records in a transaction (default ${BATCH_DEFAULT})`,
    },
    create: { type: 'boolean', description: 'Make the collection, and the database, if need be' },
    'schema-version': {
      type: 'string',
      valueHint: 'n',
      description: 'Of the records’ shape, for a collection that --create makes (default 1)',
    },
    types: {
      type: 'string',
      valueHint: 'types',
      description: 'Of columns of CSV: age:number,born:date,*:string',
    },
    delimiter: { type: 'string', valueHint: 'char', default: ',', description: 'Of CSV' },
    restart: { type: 'boolean', description: 'Forget an import that is not finished' },
    'dry-run': { type: 'boolean', description: 'Check everything and write nothing' },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const collection = args.text('collection')
    const source = importSource(args.text('file'), environment.inputBytes)
    const format = formatOf(args.optionalText('format'), source.path)
    if (format === undefined) {
      throw new UsageError(`--format is missing, and the name of ${source.path} does not tell it`)
    }
    const options = importOptions(args)
    const target = { directory, collection, ...targetOptions(args) }
    const read = await recordReader(format, source, csvOptions(args, format))
    const output = createCommandOutput(args, environment)
    const report = await showing(output.progress('import', formatBytes), (progress) => {
      const watch = new ImportWatch(source, progress, environment.now)
      return watch.telling(target.dryRun, () =>
        withImportTarget(target, (db) =>
          importCollection(db, collection, source, {
            ...{ format, read, dryRun: target.dryRun, ...options },
            onProgress: watch.onProgress,
            signal: environment.stop,
          }),
        ),
      )
    })
    const { done, start, outcomes } = report
    const facts = { directory, collection, source: source.path, format, dryRun: target.dryRun }
    const counts = { records: done.records, bytes: done.bytes, resumedAfter: start.records }
    output.result({ ...facts, ...counts, ...outcomes }, () => importText(facts, report))
    return EXIT_OK
  },
}

function importOptions(args: CommandArguments) {
  return {
    onConflict: onConflictOf(args.text('on-conflict')),
    batchRecords: args.optionalCount('batch', 1, BATCH_MAX) ?? BATCH_DEFAULT,
    restart: args.flag('restart'),
  }
}

function targetOptions(args: CommandArguments) {
  const create = args.flag('create')
  const schemaVersion = args.optionalCount('schema-version', 1, Number.MAX_SAFE_INTEGER)
  if (schemaVersion !== undefined && !create) {
    throw new UsageError('--schema-version is for a collection that --create makes')
  }
  return { create, schemaVersion, dryRun: args.flag('dry-run') }
}

function csvOptions(args: CommandArguments, format: DataFormat) {
  const types = args.optionalText('types')
  if (types !== undefined && format !== 'csv') throw new UsageError('--types are of CSV')
  return {
    delimiter: parseDelimiter(args.text('delimiter')),
    types: types === undefined ? new Map() : parseColumnTypes(types),
  }
}

function onConflictOf(text: string): OnConflict {
  const found = CONFLICTS.find((name) => name === text)
  if (found === undefined) {
    throw new UsageError(`--on-conflict is one of ${CONFLICTS.join(', ')}, not ${text}`)
  }
  return found
}
