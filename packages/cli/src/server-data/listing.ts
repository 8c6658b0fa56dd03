/** What commands that list a server's rows have in common: a page of them, as a table or as one JSON object. */
import { resolve } from 'node:path'
import type { ArgsDef } from 'citty'
import type { CliEnvironment } from '../cli/cli-environment.ts'
import type { CommandArguments } from '../cli/command-arguments.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { createCommandOutput } from '../output/command-output.ts'
import { renderTable } from '../output/text-table.ts'
import { untilUnread } from '../output/until-unread.ts'
import { type ServerData, withServerData } from './server-database.ts'

/** The options of every listing. */
export const listingOptions: ArgsDef = {
  dir: {
    type: 'positional',
    required: true,
    description: 'Directory of a server database not in use: DATA/DBID',
  },
  limit: { type: 'string', valueHint: 'n', default: '20', description: 'At most so many' },
  after: { type: 'string', valueHint: 'token', description: 'The next page, from the last one' },
  json: { type: 'boolean', description: 'Print one JSON object' },
}

/** Which page of the rows is wanted. */
export interface WantedPage {
  readonly limit: number
  readonly after: string | undefined
}

/** One kind of rows. */
export interface Listing<Row, Facts extends object> {
  /** Of the JSON object, and in "no ...". */
  readonly name: string
  readonly find: (
    data: ServerData,
    page: WantedPage,
  ) => Promise<{ readonly items: readonly Row[]; readonly next?: string | undefined }>
  /** For programs. */
  readonly facts: (row: Row, data: ServerData) => Promise<Facts> | Facts
  /** For people. */
  readonly head: readonly string[]
  readonly cells: (facts: Facts) => readonly (string | number)[]
}

/** They are in memory all at once. */
const LIMIT_MAX = 100_000

export function runListing<Row, Facts extends object>(
  listing: Listing<Row, Facts>,
  args: CommandArguments,
  environment: CliEnvironment,
): Promise<number> {
  return untilUnread(async () => {
    const directory = resolve(args.text('dir'))
    const limit = args.optionalCount('limit', 1, LIMIT_MAX) ?? LIMIT_MAX
    const after = args.optionalText('after')
    const output = createCommandOutput(args, environment)
    const { facts, next } = await withServerData(directory, async (data) => {
      const page = await listing.find(data, { limit, after })
      const facts: Facts[] = []
      for (const row of page.items) facts.push(await listing.facts(row, data))
      return { facts, next: page.next }
    })
    const more = next === undefined ? {} : { next }
    output.result({ directory, [listing.name]: facts, ...more }, () => textOf(listing, facts, next))
    return EXIT_OK
  })
}

function textOf<Row, Facts extends object>(
  { name, head, cells }: Listing<Row, Facts>,
  facts: readonly Facts[],
  next: string | undefined,
): string {
  if (facts.length === 0) return `No ${name}.`
  const table = renderTable({ head, rows: facts.map(cells) }, false)
  return next === undefined ? table : `${table}\nMore with: --after ${next}`
}

/** Conditions on fields that hold text, of those options that were given. */
export function fieldsGiven<Field extends string>(
  args: CommandArguments,
  fieldsByOption: Readonly<Record<string, Field>>,
): Partial<Record<Field, string>> {
  const conditions: Partial<Record<Field, string>> = {}
  for (const [option, field] of Object.entries(fieldsByOption)) {
    const value = args.optionalText(option)
    if (value !== undefined) conditions[field] = value
  }
  return conditions
}

/** Milliseconds since 1970, as `2026-01-31 12:00:00`; `-` for none. */
export function timeText(ms: number): string {
  return ms === 0 ? '-' : `${isoTime(ms).slice(0, 19).replace('T', ' ')}`
}

/** For programs. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
