/** `entidb query`: what a collection answers. */
import { resolve } from 'node:path'
import type { CollectionReader } from '@entidb/core'
import type { CliCommand } from '../cli/cli-command.ts'
import type { CliEnvironment } from '../cli/cli-environment.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { pickFields } from '../data/csv/field-path.ts'
import { toJson } from '../data/json/json-value.ts'
import { exportCollection } from '../data/output/export-collection.ts'
import { pageText } from '../data/query/page-text.ts'
import { type QueryOptions, queryOptions } from '../data/query/query-options.ts'
import { findCollection, withStoredDatabase } from '../data/stored-database.ts'
import { type CommandOutput, createCommandOutput } from '../output/command-output.ts'
import { formatCount } from '../output/units.ts'
import { untilUnread } from '../output/until-unread.ts'

export const queryCommand: CliCommand = {
  summary: 'Show the entities that a query answers, how many, or how it is answered',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    collection: { type: 'positional', required: true, description: 'Its name' },
    where: {
      type: 'positional',
      required: false,
      description: 'JSON: {"status":"open","createdAt":{"gte":{"$date":"2026-01-01"}}}',
    },
    'order-by': { type: 'string', valueHint: 'fields', description: 'name,createdAt:desc' },
    limit: { type: 'string', valueHint: 'n', description: 'Default: 20 for a table and --json' },
    after: {
      type: 'string',
      valueHint: 'token',
      description: 'The next page of a table or --json',
    },
    fields: { type: 'string', valueHint: 'fields', description: 'Only these: id,address.city' },
    format: { type: 'string', valueHint: 'format', description: 'table, ndjson, json or csv' },
    delimiter: { type: 'string', valueHint: 'char', default: ',', description: 'Of CSV' },
    count: { type: 'boolean', description: 'Only how many there are' },
    explain: { type: 'boolean', description: 'Only how it is answered' },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  run: (args, environment) =>
    untilUnread(async () => {
      const directory = resolve(args.text('dir'))
      const collection = args.text('collection')
      const options = queryOptions(args)
      const output = createCommandOutput(args, environment)
      await withStoredDatabase(directory, { readOnly: true }, async (db) => {
        findCollection(db, collection)
        const snapshot = db.snapshot()
        try {
          await answer(snapshot.collection(collection), options, output, environment)
        } finally {
          snapshot.release()
        }
      })
      return EXIT_OK
    }),
}

async function answer(
  reader: CollectionReader,
  options: QueryOptions,
  output: CommandOutput,
  environment: CliEnvironment,
): Promise<void> {
  const { view, limit, ...rest } = options
  const query = { ...options.query, ...(limit === undefined ? {} : { limit }) }
  switch (view) {
    case 'count': {
      const count = await reader.count(query)
      return output.result({ count }, () => String(count))
    }
    case 'explain': {
      const explanation = await reader.explain(query)
      const { index, ranges, sort, scanned } = explanation
      return output.result(explanation, () =>
        [
          `index    ${index ?? 'none: the whole collection'}`,
          `ranges   ${formatCount(ranges)}`,
          `sort     ${sort === 'index' ? 'as the index has them' : 'in memory'}`,
          `scanned  ${formatCount(scanned)}`,
        ].join('\n'),
      )
    }
    case 'page':
      return showPage(reader, options, output)
    default: {
      const sink = environment.outputBytes()
      const { fields, delimiter } = rest
      await exportCollection(reader, sink, {
        ...{ query, fields, delimiter, format: view, signal: environment.stop },
      })
    }
  }
}

async function showPage(
  reader: CollectionReader,
  { query, limit = 0, after, fields }: QueryOptions,
  output: CommandOutput,
): Promise<void> {
  const { items, next } = await reader.findPage({ ...query, limit, after })
  const shown = fields === undefined ? items : items.map((item) => pickFields(item, fields))
  output.result({ items: shown.map(toJson), ...(next === undefined ? {} : { next }) }, () =>
    pageText(shown, fields, next),
  )
}
