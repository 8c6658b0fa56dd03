// Medians, ratios, and a plain table.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Rows of `{ name, rates }` (entities per second by round), ours first; the ratio is ours over theirs. */
export function printTable(title, rows) {
  const ours = median(rows[0].rates)
  console.log(`\n${title}`)
  console.log(
    `${'engine'.padEnd(28)}${'median/s'.padStart(12)}${'min'.padStart(12)}${'max'.padStart(12)}  ours is`,
  )
  for (const { name, rates } of rows) {
    const cells = [median(rates), Math.min(...rates), Math.max(...rates)]
    const figures = cells.map((rate) => Math.round(rate).toLocaleString('en').padStart(12)).join('')
    const ratio = rates === rows[0].rates ? '' : `${(ours / median(rates)).toFixed(2)} x`
    console.log(`${name.padEnd(28)}${figures}  ${ratio}`)
  }
}
