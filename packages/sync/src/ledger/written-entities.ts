/** Names of what a local transaction wrote, as the ledger keeps them. */
import { WRITTEN_NAMED_MAX, type WrittenEntities } from '../state/rows.ts'

/** Of entities by their keys, each counted once. */
export function writtenEntities(keys: Iterable<string>): WrittenEntities {
  const all = [...new Set(keys)]
  return { keys: all.slice(0, WRITTEN_NAMED_MAX), size: all.length }
}
