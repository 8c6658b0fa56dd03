/**
 * Step: the cities into device A. A batch is one transaction, so after a crash it is there whole or not at
 * all: the batch's last city tells which. Ids are fixed, and what is there is left alone, so loading can
 * be interrupted anywhere and repeated without duplicates, and never undoes a later edit.
 */
import type { CitiesDatabase, City } from '../city.ts'
import type { Step } from '../step-runner.ts'

/** One transaction. It fits one push request of a server with default limits, so it travels as one group. */
const batchSize = 1_000

export interface LoadResult {
  readonly loaded: number
  readonly found: number
}

export async function loadCities(
  db: CitiesDatabase,
  cities: readonly City[],
  step: Pick<Step, 'progress'>,
  stop: AbortSignal,
): Promise<LoadResult> {
  let loaded = 0
  for (let from = 0; from < cities.length; from += batchSize) {
    stop.throwIfAborted()
    loaded += await loadBatch(db, cities.slice(from, from + batchSize))
    step.progress(Math.min(from + batchSize, cities.length), cities.length)
  }
  return { loaded, found: cities.length - loaded }
}

async function loadBatch(db: CitiesDatabase, batch: readonly City[]): Promise<number> {
  const collection = db.collection('cities')
  const last = batch.at(-1)
  if (last === undefined || (await collection.get(last.id)) !== undefined) return 0
  const stored = await collection.getMany(batch.map(({ id }) => id))
  const missing = batch.filter((_, i) => stored[i] === undefined)
  await collection.putMany(missing)
  return missing.length
}
