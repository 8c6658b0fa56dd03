/** Entities as rows of CSV. */
import { stringify } from 'csv-stringify/sync'
import { UsageError } from '../../cli/usage-error.ts'
import { toCell } from './csv-cell.ts'
import { isFields, valueAt } from './field-path.ts'

/** More is no table, and would not fit into memory some day. */
const COLUMNS_MAX = 10_000

/** Gathers the paths of all fields that hold a value and no fields of their own: `id` first, then as they come. */
export class ColumnCollector {
  readonly #pathsByName = new Map<string, readonly string[]>([['id', ['id']]])

  /** @throws UsageError when there are too many. */
  add(entity: unknown): void {
    this.#addUnder(entity, [])
    if (this.#pathsByName.size > COLUMNS_MAX) {
      throw new UsageError(`more than ${COLUMNS_MAX} columns: choose some with --fields`)
    }
  }

  get paths(): readonly (readonly string[])[] {
    return [...this.#pathsByName.values()]
  }

  #addUnder(value: unknown, path: readonly string[]): void {
    const entries = isFields(value) ? Object.entries(value) : []
    if (entries.length > 0) for (const [key, item] of entries) this.#addUnder(item, [...path, key])
    else this.#pathsByName.set(path.join('.'), path)
  }
}

export function csvHeader(paths: readonly (readonly string[])[], delimiter: string): string {
  return csvLine(
    paths.map((path) => path.join('.')),
    delimiter,
  )
}

export function csvRow(
  entity: unknown,
  paths: readonly (readonly string[])[],
  delimiter: string,
): string {
  return csvLine(
    paths.map((path) => toCell(valueAt(entity, path))),
    delimiter,
  )
}

/** Empty text is quoted, no value is not: that tells them apart. */
function csvLine(cells: readonly (string | undefined)[], delimiter: string): string {
  return stringify([[...cells]], {
    delimiter,
    cast: { string: (text) => (text === '' ? { value: text, quoted_empty: true } : text) },
  })
}
