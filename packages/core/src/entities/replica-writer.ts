/** The replication side of a write transaction: the states of `replication.ts`, and the steps between them. */

import { decodeEntity } from '../cbor/entity-decoder.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { CollectionState } from './collection-state.ts'
import { entityNotFound } from './entity-errors.ts'
import { assertSyncedId, idKeyOf, idOfKey } from './entity-id.ts'
import type { EntityWriter } from './entity-writer.ts'
import type { IndexKeys } from './entry-keys.ts'
import type { IndexBatch } from './index-batch.ts'
import { findViolations, updateIndexes } from './index-maintenance.ts'
import { indexedForm } from './indexed-form.ts'
import { LOCAL } from './operation.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { rawEntityReader } from './raw-entity.ts'
import { encodeRecord, entityBytes, type StoredRecord } from './record.ts'
import { orderReindexing } from './reindexing.ts'
import { ABSENT, isAbsent, type ReplicaRow, replicatedStateOf } from './replica-row.ts'
import type {
  CommittedEdit,
  IndexViolation,
  RawOperation,
  ReplicaState,
  ReplicatedState,
} from './replication.ts'
import { type Steps, wait } from './steps.ts'
import { noteMigrated } from './unmigrated.ts'

/** Index entries that wait for the end of a page. */
export interface PageEntries {
  readonly batch: IndexBatch
  /** The highest opId before the page. */
  readonly stampBefore: number
}

interface Found {
  readonly idKey: Uint8Array
  readonly existing: StoredRecord | undefined
  readonly row: ReplicaRow | undefined
}

export class ReplicaWriter {
  readonly #writer: EntityWriter

  constructor(writer: EntityWriter) {
    this.#writer = writer
  }

  *state(state: CollectionState, id: string): Steps<ReplicaState> {
    return stateOf(yield* this.#find(state, id))
  }

  *applyRaw(
    state: CollectionState,
    operation: RawOperation,
  ): Steps<{ readonly violations: readonly IndexViolation[] }> {
    assertReplicatedState(operation)
    const found = yield* this.#find(state, operation.entityId)
    return { violations: yield* this.#apply(state, found, operation) }
  }

  /** One operation of a page, which `assertReplicatedState` let through. */
  *applyIfNewer(
    state: CollectionState,
    operation: RawOperation,
    violations: IndexViolation[],
    page: PageEntries,
  ): Steps<'applied' | 'known' | 'pending'> {
    const found = yield* this.#find(state, operation.entityId)
    const { existing, row } = found
    if (existing?.pending === true || row?.kind === 'pendingDelete') return 'pending'
    const known = existing?.revision ?? row?.state.version ?? 0
    if (operation.version <= known) return 'known'
    const violated = yield* this.#apply(state, found, operation, page)
    if (violated.length > 0) violations.push(...violated)
    return 'applied'
  }

  *rebase(state: CollectionState, id: string, base: ReplicatedState): Steps<void> {
    assertReplicatedState(base)
    const found = yield* this.#find(state, id)
    const { pending, base: before } = stateOf(found)
    if (!pending) {
      throw new TypeError(`${id} in ${state.name} has no local edits: it cannot be rebased`)
    }
    yield* this.#setBase(state, id, found, base, isSameForm(before, base))
  }

  *settle(
    state: CollectionState,
    id: string,
    committed: ReplicatedState,
    throughOpId: number,
  ): Steps<void> {
    yield* this.settleEdit(state, { entityId: id, committed, throughOpId }, 0)
  }

  /** As `settle`, if the edit of `throughOpId`, or a later one, is still pending. Answers whether it was. */
  *settleEdit(
    state: CollectionState,
    { entityId, committed, throughOpId }: Omit<CommittedEdit, 'collection'>,
    opIdMin: number = throughOpId,
  ): Steps<boolean> {
    assertReplicatedState(committed)
    const found = yield* this.#find(state, entityId)
    const local = stateOf(found)
    if (!local.pending || local.opId < opIdMin) return false
    if (local.opId > throughOpId) {
      yield* this.#setBase(state, entityId, found, committed, true)
    } else if (isSameForm(local, committed)) {
      const { idKey, existing, row } = found
      this.#writer.beginChange(state, entityId)
      if (existing === undefined) yield* this.#putTombstone(state, idKey, committed)
      else {
        // The same bytes under the same stamp: for readers nothing changes.
        const { version: revision, schemaVersion } = committed
        const header = { pending: false, revision, schemaVersion, stamp: existing.stamp, opId: 0 }
        yield* this.#putRecord(state, entityId, found, encodeRecord(header, entityBytes(existing)))
        if (row !== undefined) yield* this.#writer.deleteRow(state, idKey)
      }
      this.#writer.end()
    } else yield* this.#apply(state, found, { ...committed, collection: state.name, entityId })
    return true
  }

  *touch(state: CollectionState, id: string): Steps<{ readonly opId: number }> {
    const found = yield* this.#find(state, id)
    const { existing, idKey } = found
    const { base, version, bytes, schemaVersion } = stateOf(found)
    if (existing === undefined && found.row === undefined) throw entityNotFound(state.name, id)
    const opId = this.#writer.begin(state, id)
    if (existing === undefined) {
      yield* this.#writer.putRow(state, idKey, { kind: 'pendingDelete', state: base, opId })
    } else {
      if (!existing.pending) yield* this.#writer.putBase(state, idKey, base)
      const offered = !existing.pending || existing.offered
      const header = { ...existing, pending: true, opId, offered }
      yield* this.#putRecord(state, id, found, encodeRecord(header, entityBytes(existing)))
    }
    const mutation = { state, id, opId, payload: bytes, entityVersion: version, schemaVersion }
    yield* wait(this.#writer.record({ ...mutation, origin: LOCAL, staleBase: false }))
    this.#writer.end()
    return { opId }
  }

  *forget(state: CollectionState, id: string): Steps<void> {
    const { idKey, row } = yield* this.#find(state, id)
    if (row?.kind !== 'tombstone') return
    this.#writer.beginChange(state, id)
    yield* this.#writer.deleteRow(state, idKey)
    this.#writer.end()
  }

  *evict(state: CollectionState, id: string): Steps<void> {
    const found = yield* this.#find(state, id)
    const { existing, idKey } = found
    if (stateOf(found).pending) {
      throw new TypeError(`${id} in ${state.name} has local edits: it cannot be evicted`)
    }
    if (existing === undefined) return yield* this.forget(state, id)
    const oldKeys = yield* this.#oldKeys(state, found, id)
    const opId = this.#writer.begin(state, id)
    yield* this.#writer.removeRecord(state, id, idKey, existing, oldKeys)
    const { origin } = this.#writer
    const { schemaVersion } = existing
    const mutation = { state, id, opId, payload: null, entityVersion: 0, schemaVersion }
    yield* wait(this.#writer.record({ ...mutation, origin, staleBase: false }))
    this.#writer.end()
  }

  *#find(state: CollectionState, id: string): Steps<Found> {
    assertSyncedId(id, state.maxIdBytes)
    const idKey = idKeyOf(id)
    const existing = yield* this.#writer.reader.findRecord(state, idKey)
    // A clean entity has no row.
    const hasRow = existing === undefined || existing.pending
    const row = hasRow ? yield* this.#writer.findRow(state, idKey) : undefined
    return { idKey, existing, row }
  }

  /** Stores what was replicated, whatever was there. */
  *#apply(
    state: CollectionState,
    found: Found,
    operation: RawOperation,
    page?: PageEntries,
  ): Steps<readonly IndexViolation[]> {
    const { idKey, existing, row } = found
    const { entityId: id, version, schemaVersion, bytes } = operation
    const writer = this.#writer
    const oldKeys = yield* this.#oldKeys(state, found, id)
    const indexed = bytes === null ? undefined : rawIndexKeys(state, idKey, bytes, schemaVersion)
    const keys = indexed?.keys
    const violations =
      keys === undefined ? [] : yield* findViolations(writer.tx, state, idKey, keys, undefined)
    if (isAbsent(operation) && existing === undefined && row === undefined) return violations
    const opId = writer.begin(state, id)
    if (violations.length > 0) state.cache.forgetLookups()
    // The entity was in this page before: its entries are to be removed, so they have to be there.
    if (page !== undefined && existing !== undefined && existing.stamp > page.stampBefore) {
      yield* page.batch.flush(writer.tx)
    }
    yield* updateIndexes(writer.tx, state, idKey, oldKeys, keys, page?.batch)
    if (indexed !== undefined && needsMigration(state, schemaVersion)) {
      yield* noteMigrated(writer.tx, state.name, idKey, indexed.isCurrent)
    }
    if (bytes === null) {
      if (existing !== undefined) {
        yield* wait(writer.tx.delete(state.recordTable, idKey))
        writer.recorder.note(state, id, existing.record, undefined)
      }
      yield* this.#putTombstone(state, idKey, operation)
    } else {
      const header = { pending: false, revision: version, schemaVersion, stamp: opId, opId: 0 }
      yield* this.#putRecord(state, id, found, encodeRecord(header, bytes))
      if (row !== undefined) yield* writer.deleteRow(state, idKey)
    }
    yield* wait(writer.endApplied(state, operation, opId))
    return violations
  }

  /** Replication has to go on where nobody can tell the entries of an entity: they stay until all are made anew. */
  *#oldKeys(
    state: CollectionState,
    { idKey, existing }: Found,
    id: string,
  ): Steps<IndexKeys | undefined> {
    if (existing === undefined) return undefined
    if (state.chain !== undefined || !needsMigration(state, existing.schemaVersion)) {
      return this.#writer.indexKeysOf(state, id, idKey, existing)
    }
    yield* orderReindexing(this.#writer.tx, state.name)
    return undefined
  }

  /** Replaces the base of a pending entity. `sameToReaders`: who has seen the one before has seen this. */
  *#setBase(
    state: CollectionState,
    id: string,
    found: Found,
    base: ReplicatedState,
    sameToReaders: boolean,
  ): Steps<void> {
    const { idKey, existing, row } = found
    this.#writer.beginChange(state, id)
    if (existing === undefined) {
      const opId = row?.opId ?? 0
      yield* this.#writer.putRow(state, idKey, { kind: 'pendingDelete', state: base, opId })
    } else {
      yield* this.#writer.putBase(state, idKey, base)
      const unseen = sameToReaders && existing.unseen === true
      const header = { ...existing, revision: base.version, unseen }
      yield* this.#putRecord(state, id, found, encodeRecord(header, entityBytes(existing)))
    }
    this.#writer.end()
  }

  *#putTombstone(
    state: CollectionState,
    idKey: Uint8Array,
    { version, schemaVersion }: ReplicatedState,
  ): Steps<void> {
    if (version === 0) return yield* this.#writer.deleteRow(state, idKey)
    const tombstone = { version, schemaVersion, bytes: null }
    yield* this.#writer.putRow(state, idKey, { kind: 'tombstone', state: tombstone, opId: 0 })
  }

  *#putRecord(
    state: CollectionState,
    id: string,
    { idKey, existing }: Found,
    record: Uint8Array,
  ): Steps<void> {
    yield* wait(this.#writer.tx.put(state.recordTable, idKey, record))
    this.#writer.recorder.note(state, id, existing?.record, record)
  }
}

function stateOf({ existing, row }: Found): ReplicaState {
  if (existing !== undefined) {
    const { stamp, schemaVersion, pending, opId, revision } = existing
    const bytes = entityBytes(existing)
    const base = pending ? (row?.state ?? ABSENT) : replicatedStateOf(existing)
    return { stamp, bytes, schemaVersion, pending, opId, version: revision, base }
  }
  const { state: base, kind, opId } = row ?? { state: ABSENT, kind: 'tombstone', opId: 0 }
  const { version, schemaVersion } = base
  const pending = kind === 'pendingDelete'
  return { stamp: 0, bytes: null, schemaVersion, pending, opId, version, base }
}

/** Errors: `invalid_entity` for bytes of another entity, `invalid_cbor`. */
function rawIndexKeys(
  state: CollectionState,
  idKey: Uint8Array,
  bytes: Uint8Array,
  schemaVersion: number,
): { readonly keys: IndexKeys; readonly isCurrent: boolean } {
  const reader = rawEntityReader(state)
  reader.read(state.name, idKey, bytes)
  if (needsMigration(state, schemaVersion)) {
    const stored = { record: bytes, entityStart: 0, schemaVersion }
    const form = indexedForm(state, idOfKey(idKey), stored)
    const { isCurrent } = form
    return { keys: indexKeysOf(state, idKey, decodeEntity(form.bytes)), isCurrent }
  }
  const keys = state.indexes.map((_, index) => reader.keysOf(index, idKey, bytes))
  return { keys, isCurrent: true }
}

/** Are the index entries of a replicated state those of what a migration makes of it? */
export function needsMigration(state: CollectionState, schemaVersion: number): boolean {
  return state.indexes.length > 0 && schemaVersion < state.schemaVersion
}

/** Do readers see the same? Bytes of another version may be migrated. */
function isSameForm(
  { bytes, schemaVersion }: Pick<ReplicatedState, 'bytes' | 'schemaVersion'>,
  other: ReplicatedState,
): boolean {
  if (bytes === null || other.bytes === null) return bytes === other.bytes
  return schemaVersion === other.schemaVersion && bytesEqual(bytes, other.bytes)
}

export function assertReplicatedState({ version, bytes, schemaVersion }: ReplicatedState): void {
  if (!Number.isSafeInteger(version) || version < 0) {
    throw new TypeError('a revision is an integer from 0')
  }
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1) {
    throw new TypeError('a schema version is an integer from 1')
  }
  if (bytes !== null && !(bytes instanceof Uint8Array)) {
    throw new TypeError('the bytes of a replicated state are a Uint8Array or null')
  }
}
