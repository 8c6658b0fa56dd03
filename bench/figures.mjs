// Medians, ratios, and plain tables.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function formatNumber(value, digits = 0) {
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

/** Lines of cells in columns; the first `leftColumns` begin at the left. */
export function formatColumns(lines, leftColumns = 1) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  const pad = (cell, column) =>
    column < leftColumns ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

/**
 * Rows of `{ name, rates }` (figures by round, entities per second unless the heading says otherwise); the
 * ratio is ours, which is the first, over theirs.
 */
export function formatTable(rows, { heading = 'median/s', digits = 0, hasOurs = true } = {}) {
  const ours = median(rows[0].rates)
  const header = ['engine', heading, 'min', 'max', 'ours is']
  const lines = rows.map(({ name, rates }, k) => {
    const cells = [median(rates), Math.min(...rates), Math.max(...rates)]
    const ratio = k === 0 || !hasOurs ? '' : `${(ours / median(rates)).toFixed(2)} x`
    return [name, ...cells.map((rate) => formatNumber(rate, digits)), ratio]
  })
  return formatColumns([header, ...lines])
}

export function printTable(title, rows, options) {
  console.log(`\n${title}\n${formatTable(rows, options)}`)
}
