/** Which version of the collection's shape a local write is of. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import type { CollectionState } from './collection-state.ts'
import { knownVersion } from './entity-version.ts'
import type { PreparedEntity } from './prepared-entity.ts'
import type { StoredRecord } from './record.ts'

/**
 * The code's; but code may meet an entity that a newer version wrote. An edit of it, `{ ...entity, name }`,
 * has kept what this code does not know, so it is still of the newer version. A write that lacks a property
 * of it was made anew, by this code, and newer code has to migrate it. What is stored may be another state than the one
 * that the edit was made from, or gone: that counts only where nothing is known of the latter.
 */
export function versionOfWrite(
  state: CollectionState,
  existing: StoredRecord | undefined,
  written: PreparedEntity,
): number {
  const { madeFrom } = written
  const shape = madeFrom && knownVersion(madeFrom)?.shape
  const from = shape?.name === state.name ? shape : existing
  if (from === undefined || from.schemaVersion <= state.schemaVersion) return state.schemaVersion
  // Only maps are stored, and what is known was read.
  const before = (
    'record' in from ? decodeEntity(from.record, from.entityStart) : madeFrom
  ) as object
  const after = decodeEntity(written.bytes) as object
  const isEdit = Object.keys(before).every((name) => Object.hasOwn(after, name))
  return isEdit ? from.schemaVersion : state.schemaVersion
}
