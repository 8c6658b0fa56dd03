import Table from 'cli-table3'
import type { ReportTable } from './reporter.ts'
import { formatCount } from './units.ts'

/** A table as text. Columns that hold a number are aligned to the right. */
export function renderTable({ head, rows }: ReportTable, colours: boolean): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) =>
      rows.some((row) => typeof row[i] === 'number') ? 'right' : 'left',
    ),
    // Compact: no lines between rows.
    style: { head: colours ? ['bold'] : [], border: colours ? ['grey'] : [], compact: true },
  })
  for (const row of rows) {
    table.push(row.map((cell) => (typeof cell === 'number' ? formatCount(cell) : harmless(cell))))
  }
  return table.toString()
}

/** A cell may hold what somebody else chose. What a terminal would take for a command does no harm as a space. */
function harmless(text: string): string {
  return text.replace(/[^\P{Cc}\n]+/gu, ' ')
}
