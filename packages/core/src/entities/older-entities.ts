/** The entities of a collection that are stored in an older version of its shape, and what migrations make of them. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { invalidEntity } from '../cbor/invalid-entity.ts'
import { assertInvariant } from '../errors/assert.ts'
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { Reader } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { migrationFailed } from './entity-errors.ts'
import { idOfKey } from './entity-id.ts'
import type { OpenWork } from './open-work.ts'
import { decodeRecord, type StoredRecord } from './record.ts'
import { assertFitsSchema } from './schema.ts'
import { type Steps, wait } from './steps.ts'

export interface OlderEntity {
  readonly id: string
  readonly idKey: Uint8Array
  readonly stored: StoredRecord
  /** Its CBOR in the version that the code knows; undefined when that failed. */
  readonly bytes: Uint8Array | undefined
  /** `migration_failed` */
  readonly failure: Error | undefined
}

const BATCH = 500

/** Calls `look` for each of them, in the order of their ids. Changes nothing. */
export function* eachOlderEntity(
  view: Reader,
  state: CollectionState,
  maxEntityBytes: number,
  work: OpenWork,
  look: (older: OlderEntity) => void,
): Steps<void> {
  const total = yield* wait(view.count(state.recordTable))
  const cursor = view.scan(state.recordTable, {})
  for (let done = 0; done < total; ) {
    const { keys, values } = yield* wait(cursor.next(BATCH))
    if (keys.length === 0) return
    for (let i = 0; i < keys.length; i++) {
      // Keys and values belong together.
      const stored = decodeRecord(values[i] as Uint8Array)
      if (stored.schemaVersion >= state.schemaVersion) continue
      look(tried(state, maxEntityBytes, keys[i] as Uint8Array, stored))
    }
    done += keys.length
    yield* work.did({ phase: 'check', collection: state.name, done, total })
  }
}

function tried(
  state: CollectionState,
  maxEntityBytes: number,
  idKey: Uint8Array,
  stored: StoredRecord,
): OlderEntity {
  const id = idOfKey(idKey)
  try {
    const bytes = migrated(state, maxEntityBytes, id, stored)
    return { id, idKey, stored, bytes, failure: undefined }
  } catch (failure) {
    if (!isEntiDBError(failure, 'migration_failed')) throw failure
    return { id, idKey, stored, bytes: undefined, failure }
  }
}

/** What this device wrote has to be what it could write. What replication brought is taken at its word. */
function migrated(
  { name, chain, schema, schemaVersion }: CollectionState,
  maxEntityBytes: number,
  id: string,
  stored: StoredRecord,
): Uint8Array {
  assertInvariant(chain !== undefined, 'only defined collections are migrated')
  const bytes = chain.upgrade(id, stored, schemaVersion)
  if (!isLocal(stored)) return bytes
  try {
    if (bytes.length > maxEntityBytes) throw invalidEntity([], 'too_large')
    // Only maps are stored.
    if (schema !== undefined) assertFitsSchema(schema, name, decodeEntity(bytes) as object, bytes)
  } catch (cause) {
    if (!isEntiDBError(cause)) throw cause
    throw migrationFailed(name, id, { from: stored.schemaVersion, to: schemaVersion }, cause)
  }
  return bytes
}

/** Did this device write it, as opposed to what replication brought and nobody edited since? */
export function isLocal({ revision, pending, offered }: StoredRecord): boolean {
  return !offered && (revision === 0 || pending)
}

/** Replicated bytes are the same on every device and the server, or nobody could prove that they agree. */
export function isRewritable({ revision }: StoredRecord): boolean {
  return revision === 0
}
