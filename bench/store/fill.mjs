// Loads many entities without holding them all: as durable transactions of 10,000.
import { entitiesBetween } from './data-set.mjs'

const TRANSACTION_ENTITIES = 10_000

export async function fill(engine, count) {
  for (let from = 0; from < count; from += TRANSACTION_ENTITIES) {
    await engine.load(entitiesBetween(from, Math.min(count, from + TRANSACTION_ENTITIES)))
  }
}
