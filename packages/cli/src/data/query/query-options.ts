/** What `entidb query` was asked for. */
import type { CommandArguments } from '../../cli/command-arguments.ts'
import { UsageError } from '../../cli/usage-error.ts'
import type { RowQuery } from '../output/stored-rows.ts'
import { parseDelimiter, parseFields, parseOrderBy, parseWhere } from '../query-arguments.ts'

/** `page`: a page of entities, for people as a table, or with `--json` as one object. */
export type QueryView = 'page' | 'ndjson' | 'json' | 'csv' | 'explain' | 'count'

export interface QueryOptions {
  readonly view: QueryView
  readonly query: RowQuery
  /** Undefined: all. A page always has one. */
  readonly limit: number | undefined
  readonly after: string | undefined
  readonly fields: readonly (readonly string[])[] | undefined
  readonly delimiter: string
}

const PAGE_ENTITIES = 20
const LIMIT_MAX = 1_000_000_000
/** They are in memory all at once. */
const PAGE_MAX = 100_000
const STREAMS = ['ndjson', 'json', 'csv'] as const

export function queryOptions(args: CommandArguments): QueryOptions {
  const view = viewOf(args)
  const isPage = view === 'page'
  const after = args.optionalText('after')
  if (after !== undefined && !isPage) throw new UsageError('--after is for a table or --json')
  const fields = args.optionalText('fields')
  const limit = args.optionalCount('limit', isPage ? 1 : 0, isPage ? PAGE_MAX : LIMIT_MAX)
  const where = args.optionalText('where')
  const orderBy = args.optionalText('order-by')
  return {
    view,
    query: {
      ...(where === undefined ? {} : { where: parseWhere(where, 'WHERE') }),
      ...(orderBy === undefined ? {} : { orderBy: parseOrderBy(orderBy) }),
    },
    limit: limit ?? (isPage ? PAGE_ENTITIES : undefined),
    after,
    fields: fields === undefined ? undefined : parseFields(fields),
    delimiter: parseDelimiter(args.text('delimiter')),
  }
}

function viewOf(args: CommandArguments): QueryView {
  const views = ['explain', 'count'].filter((name) => args.flag(name))
  const format = args.optionalText('format')
  if (views.length + (format === undefined ? 0 : 1) > 1) {
    throw new UsageError('choose one of --explain, --count and --format')
  }
  if (args.flag('explain')) return 'explain'
  if (args.flag('count')) return 'count'
  if (format === undefined || format === 'table') return 'page'
  const stream = STREAMS.find((name) => name === format)
  if (stream === undefined) {
    throw new UsageError(`--format is one of table, ${STREAMS.join(', ')}, not ${format}`)
  }
  if (args.flag('json'))
    throw new UsageError(`--json is one object; it goes without --format ${format}`)
  return stream
}
