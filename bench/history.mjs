// What a pull from 0 costs a server whose history is long: for each operation that it sends, beside a server whose
// history is short. Run: npm run bench -- history [--operations N] [--entities N]; the figure of the issue is 10,000,000
// and 1,000,000, which takes half an hour.
import { formatColumns, formatNumber, median } from './figures.mjs'
import { runScript, temporaryDirectory } from './processes.mjs'

const ROUNDS = 3
const SHORT = 10_000
const RATIO_MAX = 1.2
/** Operations that are pulled in all, of a short history by pulling it often. */
const PULLED = 400_000

/** Errors: a `TypeError` for an unknown option or no number. */
export function historyOptions(words) {
  const sizes = { operations: 200_000, entities: 20_000 }
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at]?.slice(2)
    const value = Number(words[at + 1])
    if (!(name in sizes) || !Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`history takes --operations N and --entities N, not ${words.join(' ')}`)
    }
    sizes[name] = value
  }
  return sizes
}

export async function history({ operations, entities } = historyOptions([])) {
  const rows = [
    { name: 'short', operations: SHORT, entities: SHORT, compact: 'keep' },
    { name: 'long, compacted', operations, entities, compact: 'compact' },
  ].map((row) => ({ ...row, ...temporaryDirectory(), costs: [], times: [] }))
  try {
    for (const row of rows) {
      const args = [row.directory, row.operations, row.entities, row.compact].map(String)
      row.load = await runScript('sync/history-load.mjs', args)
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const row of rows) {
        const times = String(Math.max(1, Math.round(PULLED / row.entities)))
        const args = [row.directory, times]
        const { operations, ms, cpuMs } = await runScript('sync/history-pull.mjs', args)
        row.costs.push((cpuMs / operations) * 1000)
        row.times.push((ms / operations) * 1000)
      }
    }
  } finally {
    for (const { remove } of rows) remove()
  }
  const [short, long] = rows
  console.log('\nserver: each operation of a pull from 0, in microseconds of processor and of time')
  const lines = rows.map(({ name, operations, entities, load, costs, times }) => [
    name,
    formatNumber(operations),
    formatNumber(entities),
    formatNumber((operations / load.pushMs) * 1000),
    load.compactedOps === 0 ? '' : formatNumber((load.compactedOps / load.compactMs) * 1000),
    ...[median(costs), Math.min(...costs), Math.max(...costs), median(times)].map((us) =>
      formatNumber(us, 2),
    ),
  ])
  const head = ['history', 'operations', 'entities', 'pushed/s', 'compacted/s']
  console.log(formatColumns([[...head, 'cpu us/op', 'min', 'max', 'us/op'], ...lines]))
  const ratio = median(long.costs) / median(short.costs)
  const verdict = ratio <= RATIO_MAX ? 'as wanted' : 'SHORT'
  // Of the processor: others on the same machine disturb it least.
  console.log(`long is ${ratio.toFixed(2)} x short, at most ${RATIO_MAX} wanted: ${verdict}`)
}
