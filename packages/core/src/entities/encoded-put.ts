/** Entities that are encoded already, stored byte for byte as local edits. */
import { invalidEntity } from '../cbor/invalid-entity.ts'
import { bytesEqual } from '../store/bytes.ts'
import { BulkPut } from './bulk-put.ts'
import type { CollectionState } from './collection-state.ts'
import { entityExists } from './entity-errors.ts'
import type { EntityWriter } from './entity-writer.ts'
import { PreparedBatch, prepareEncodedEntity } from './prepared-entity.ts'
import { decodeRecord, entityBytes, type StoredRecord } from './record.ts'
import type { Steps } from './steps.ts'
import { areUniqueKeysFree } from './unique-keys.ts'

/** What becomes of an entity whose id is there already. */
export type OnConflict = 'replace' | 'skip' | 'fail'

/** `unchanged`: the very bytes were there, and nothing was written. */
export type EncodedPutOutcome = 'inserted' | 'replaced' | 'unchanged' | 'skipped'

/** An entity with its encoding, from who writes both: nobody checks that they agree. */
export interface EncodedEntity {
  readonly entity: { readonly id: string }
  /** What `encodeEntity` makes of it. */
  readonly bytes: Uint8Array
}

/** As `putMany`. */
export function* putEncodedMany(
  writer: EntityWriter,
  state: CollectionState,
  entities: readonly EncodedEntity[],
): Steps<void> {
  const prepared = new PreparedBatch(state, entities.length)
  for (const { entity, bytes } of entities) {
    if (bytes.length > state.maxEntityBytes) throw invalidEntity([], 'too_large')
    prepared.add(entity, bytes)
  }
  const areKeysFree = state.hasUnique && (yield* areUniqueKeysFree(writer.tx, state, prepared))
  yield* new BulkPut(writer, state, prepared).run(areKeysFree)
}

export function* putEncoded(
  writer: EntityWriter,
  state: CollectionState,
  bytes: Uint8Array,
  onConflict: OnConflict,
): Steps<EncodedPutOutcome> {
  const prepared = prepareEncodedEntity(state, bytes)
  const { id, idKey } = prepared
  const found = yield* writer.find(state, idKey)
  if (found !== undefined) {
    if (onConflict === 'fail') throw entityExists(state.name, id)
    if (onConflict === 'skip') return 'skipped'
    if (isSame(state, decodeRecord(found), bytes)) return 'unchanged'
  }
  yield* writer.putOver(found, idKey, state, prepared, {})
  return found === undefined ? 'inserted' : 'replaced'
}

/** The same bytes of another schema version mean something else. */
function isSame(state: CollectionState, existing: StoredRecord, bytes: Uint8Array): boolean {
  return existing.schemaVersion === state.schemaVersion && bytesEqual(entityBytes(existing), bytes)
}
