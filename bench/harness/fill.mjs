// Loads many entities without holding them all, in several durable transactions.
import { entitiesBetween } from './data-set.mjs'

export async function fill(engine, count, transactionEntities) {
  for (let from = 0; from < count; from += transactionEntities) {
    await engine.load(entitiesBetween(from, Math.min(count, from + transactionEntities)))
  }
}
