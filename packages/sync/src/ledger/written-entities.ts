/** Names of what a local transaction wrote, as the ledger keeps them. */
import { WRITTEN_NAMED_MAX, type WrittenEntities } from '../state/rows.ts'

/** `keys` without duplicates. */
export function writtenEntities(keys: readonly string[]): WrittenEntities {
  return { keys: keys.slice(0, WRITTEN_NAMED_MAX), size: keys.length }
}
