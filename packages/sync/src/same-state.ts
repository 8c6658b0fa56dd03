/** When two states of an entity are the same. */
import { sameBytes } from './same-bytes.ts'
import type { RemoteState } from './state/rows.ts'

/** What an entity is, whatever its revision. */
export type Content = Pick<RemoteState, 'bytes' | 'schemaVersion'>

/**
 * Equal bytes of different schema versions are not the same: a migration may make something else of the older ones.
 * Deleted or absent on both sides is.
 */
export function sameState(a: Content, b: Content): boolean {
  if (a.bytes !== null && a.schemaVersion !== b.schemaVersion) return false
  return sameBytes(a.bytes, b.bytes)
}
