// All cities in one durable transaction with two indexes.
import { printTable } from './figures.mjs'
import { runScript, temporaryDirectory } from './processes.mjs'

const engines = [
  { name: 'entidb', script: 'load/entidb.mjs', rounds: 5 },
  { name: 'better-sqlite3 (JSON)', script: 'load/better-sqlite3.mjs', rounds: 5 },
  { name: 'pouchdb (no index, no flush)', script: 'load/pouchdb.mjs', rounds: 1 },
]

export async function bulkLoad() {
  const rows = engines.map(({ name }) => ({ name, rates: [] }))
  for (let round = 0; round < 5; round++) {
    for (const [index, { script, rounds }] of engines.entries()) {
      if (round >= rounds) continue
      const { directory, remove } = temporaryDirectory()
      const { ms, entities } = await runScript(script, [directory])
      rows[index].rates.push((entities / ms) * 1000)
      remove()
    }
  }
  printTable('bulk load: all cities, two indexes, one transaction (entities/s)', rows)
}
