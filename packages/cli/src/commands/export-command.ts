/** `entidb export`: entities out of a database, in a format that others read. */
import { resolve } from 'node:path'
import type { Snapshot } from '@entidb/core'
import { type StoredCollection, storedCollections } from '@entidb/core/tools'
import type { CliCommand } from '../cli/cli-command.ts'
import type { CliEnvironment } from '../cli/cli-environment.ts'
import type { CommandArguments } from '../cli/command-arguments.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { UsageError } from '../cli/usage-error.ts'
import { type DataFormat, formatOf } from '../data/data-format.ts'
import { type ExportReport, exportCollection } from '../data/output/export-collection.ts'
import { exportDirectory, exportTarget } from '../data/output/export-target.ts'
import { type ExportedCollection, exportText } from '../data/output/export-text.ts'
import type { FormatOptions } from '../data/output/row-format.ts'
import type { RowQuery } from '../data/output/stored-rows.ts'
import { parseDelimiter, parseFields, parseOrderBy, parseWhere } from '../data/query-arguments.ts'
import { findCollection, type StoredDatabase, withStoredDatabase } from '../data/stored-database.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'
import type { ProgressReport } from '../output/reporter.ts'
import { untilUnread } from '../output/until-unread.ts'

export const exportCommand: CliCommand = {
  summary: 'Write entities as NDJSON, JSON, CSV or CBOR; changes nothing in the database',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    collection: { type: 'positional', required: false, description: 'Its name; or --all' },
    all: { type: 'boolean', description: 'All collections, each to a file in the directory --out' },
    out: { type: 'string', valueHint: 'file', default: '-', description: 'Default: stdout (-)' },
    format: {
      type: 'string',
      valueHint: 'format',
      description: 'ndjson, json, csv or cbor; default: by the name of the file, else ndjson',
    },
    where: { type: 'string', valueHint: 'json', description: 'Only these, as in query' },
    'order-by': { type: 'string', valueHint: 'fields', description: 'name,createdAt:desc' },
    fields: { type: 'string', valueHint: 'fields', description: 'Only these: id,address.city' },
    delimiter: { type: 'string', valueHint: 'char', default: ',', description: 'Of CSV' },
    overwrite: { type: 'boolean', description: 'Replace the file that is there' },
    json: { type: 'boolean', description: 'Print one JSON object (on stderr when out is -)' },
  },
  run(args, environment) {
    if (args.flag('all')) return exportAll(args, environment)
    const work = () => exportOne(args, environment)
    return args.text('out') === '-' ? untilUnread(work) : work()
  },
}

async function exportOne(args: CommandArguments, environment: CliEnvironment): Promise<number> {
  const directory = resolve(args.text('dir'))
  const name = args.optionalText('collection')
  if (name === undefined) throw new UsageError('name a collection, or export --all')
  const query = queryOf(args)
  const format = formatOptions(args, args.text('out'))
  const overwrite = args.flag('overwrite')
  const target = exportTarget(args.text('out'), format.format, { overwrite }, environment)
  const { stderr, stop } = environment
  const output = createCommandOutput(args, environment, target.path === '-' ? stderr : undefined)
  const exported = await showing(output.progress('export'), (progress) =>
    withSnapshot(directory, async (db, snapshot) => {
      const collection = findCollection(db, name)
      const reader = snapshot.collection(name)
      const total = query.where === undefined ? await reader.count() : undefined
      const report = await target.take((sink) =>
        exportCollection(reader, sink, {
          ...{ query, signal: stop, ...format },
          onProgress: progressOf(progress, total),
        }),
      )
      return exportedOf(collection, report)
    }),
  )
  const facts = { directory, target: target.path, format: format.format }
  output.result({ ...facts, ...exported }, () => exportText(facts, [exported]))
  return EXIT_OK
}

async function exportAll(args: CommandArguments, environment: CliEnvironment): Promise<number> {
  const directory = resolve(args.text('dir'))
  for (const option of ['collection', 'where', 'order-by', 'fields', 'overwrite']) {
    if (args.has(option)) throw new UsageError(`--all goes without ${option}`)
  }
  if (args.text('out') === '-') throw new UsageError('--all needs a directory: --out DIR')
  const target = resolve(args.text('out'))
  const format = formatOptions(args, '')
  const output = createCommandOutput(args, environment)
  const collections = await showing(output.progress('export'), (progress) =>
    withSnapshot(directory, (db, snapshot) =>
      exportDirectory(target, async (take) => {
        const exported: (ExportedCollection & { readonly file: string })[] = []
        for (const collection of storedCollections(db).filter(({ isSystem }) => !isSystem)) {
          const reader = snapshot.collection(collection.name)
          const onProgress = progressOf(progress, await reader.count())
          const file = `${collection.name}.${format.format}`
          const options = { query: {}, signal: environment.stop, onProgress, ...format }
          const report = await take(file, (sink) => exportCollection(reader, sink, options))
          exported.push({ ...exportedOf(collection, report), file })
        }
        return exported
      }),
    ),
  )
  const facts = { directory, target, format: format.format }
  output.result({ ...facts, collections }, () => exportText(facts, collections))
  return EXIT_OK
}

/** All collections in one state. */
function withSnapshot<T>(
  directory: string,
  use: (db: StoredDatabase, snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  return withStoredDatabase(directory, { readOnly: true }, async (db) => {
    const snapshot = db.snapshot()
    try {
      return await use(db, snapshot)
    } finally {
      snapshot.release()
    }
  })
}

function queryOf(args: CommandArguments): RowQuery {
  const where = args.optionalText('where')
  const orderBy = args.optionalText('order-by')
  return {
    ...(where === undefined ? {} : { where: parseWhere(where, '--where') }),
    ...(orderBy === undefined ? {} : { orderBy: parseOrderBy(orderBy) }),
  }
}

function formatOptions(args: CommandArguments, fileName: string): FormatOptions {
  const format: DataFormat = formatOf(args.optionalText('format'), fileName) ?? 'ndjson'
  const fields = args.optionalText('fields')
  if (fields !== undefined && format === 'cbor') {
    throw new UsageError('CBOR is whole entities, as they are stored: it goes without --fields')
  }
  return {
    format,
    fields: fields === undefined ? undefined : parseFields(fields),
    delimiter: parseDelimiter(args.text('delimiter')),
  }
}

function progressOf(progress: ProgressReport, total: number | undefined) {
  return (entities: number): void => {
    if (entities % 1000 === 0) progress.update(entities, total ?? entities)
  }
}

function exportedOf(collection: StoredCollection, report: ExportReport): ExportedCollection {
  const { name, schemaVersion } = collection
  return { collection: name, schemaVersion, ...report }
}
