/** Which version of the collection's shape a local write is of. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import type { CollectionState } from './collection-state.ts'
import type { PreparedEntity } from './prepared-entity.ts'
import type { StoredRecord } from './record.ts'

/**
 * The code's; but code may meet an entity that a newer version wrote. An edit of it, `{ ...entity, name }`,
 * has kept what this code does not know, so it is still of the newer version. A write that lacks a property
 * of it was made anew, by this code, and newer code has to migrate it.
 */
export function versionOfWrite(
  { schemaVersion }: CollectionState,
  existing: StoredRecord | undefined,
  written: PreparedEntity,
): number {
  if (existing === undefined || existing.schemaVersion <= schemaVersion) return schemaVersion
  // Only maps are stored.
  const before = decodeEntity(existing.record, existing.entityStart) as object
  const after = decodeEntity(written.bytes) as object
  const isEdit = Object.keys(before).every((name) => Object.hasOwn(after, name))
  return isEdit ? existing.schemaVersion : schemaVersion
}
