/** A page of entities as a table for people. */
import { renderTable } from '../../output/text-table.ts'
import { toCell } from '../csv/csv-cell.ts'
import { valueAt } from '../csv/field-path.ts'

/** Longer text is cut, and its line ends are shown as spaces. */
const CELL_CHARACTERS = 40

export function pageText(
  items: readonly object[],
  fields: readonly (readonly string[])[] | undefined,
  next: string | undefined,
): string {
  if (items.length === 0) return 'No entities.'
  const paths = fields ?? topLevelFields(items)
  const table = renderTable(
    {
      head: paths.map((path) => path.join('.')),
      rows: items.map((item) => paths.map((path) => cellText(valueAt(item, path)))),
    },
    false,
  )
  return next === undefined ? table : `${table}\nMore with: --after ${next}`
}

/** `id` first, then as they come. */
function topLevelFields(items: readonly object[]): readonly (readonly string[])[] {
  const names = new Set(['id', ...items.flatMap((item) => Object.keys(item))])
  return [...names].map((name) => [name])
}

function cellText(value: unknown): string {
  if (value === null) return 'null'
  // What a terminal would take for a command does no harm as a space.
  const text = (toCell(value) ?? '').replace(/\p{Cc}+/gu, ' ')
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS - 1)}…` : text
}
