/**
 * The writes of one transaction: a record, its index entries, its replication state and, with the
 * feed on, its operation. Everything that can refuse a write is asked before the first change, so that
 * a refused write leaves no trace and the transaction can go on.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { MaybePromise } from '../files/file-system.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import { BulkPut } from './bulk-put.ts'
import type { CollectionState } from './collection-state.ts'
import type { DatabaseCore } from './database-core.ts'
import { entityChanged, entityExists, migrationsUnknown } from './entity-errors.ts'
import { idKeyOf } from './entity-id.ts'
import { EntityReader } from './entity-reader.ts'
import type { EntityVersion } from './entity-version.ts'
import type { IndexKeys } from './entry-keys.ts'
import type { FeedSetting } from './feed-state.ts'
import { FeedWriter } from './feed-writer.ts'
import type { IndexBatch } from './index-batch.ts'
import { assertUnique, updateIndexes } from './index-maintenance.ts'
import { indexedForm } from './indexed-form.ts'
import { META_KEYS, writeMeta } from './meta.ts'
import { LOCAL } from './operation.ts'
import { revisionToday } from './parting.ts'
import { indexKeysOf, type PreparedBatch, type PreparedEntity } from './prepared-entity.ts'
import { decodeRecord, type StoredRecord } from './record.ts'
import { ChangeRecorder } from './record-changes.ts'
import {
  ABSENT,
  decodeReplicaRow,
  encodeReplicaRow,
  isAbsent,
  type ReplicaRow,
  replicatedStateOf,
} from './replica-row.ts'
import type { RawOperation, ReplicatedState } from './replication.ts'
import { type Steps, wait } from './steps.ts'
import type { Turns } from './turns.ts'
import { versionOfWrite } from './version-of-write.ts'

export interface WriteCondition {
  /** `insert`: refuse what is there. */
  readonly mustBeNew?: boolean
  /** Refuse unless this is the stored state. */
  readonly ifVersion?: EntityVersion
  /** The state that the edit was made on. */
  readonly basedOn?: EntityVersion
}

/** The place of a write among many of one call. */
export interface BulkPlace {
  /** Takes the entries of indexes that are not unique. */
  readonly indexes: IndexBatch
  /** The last opId before the first write of the call. */
  readonly stampBefore: number
  /** Of this write, where the call has allocated it. */
  readonly opId: number | undefined
}

export interface WriteOutcome {
  /** Undefined when there was nothing to write. */
  readonly opId: number | undefined
  readonly existed: boolean
  /** The replicated revision under what is stored now. */
  readonly revision: number
}

/** One operation, for the feed. */
interface Mutation {
  readonly state: CollectionState
  readonly id: string
  readonly opId: number
  readonly payload: Uint8Array | null
  readonly entityVersion: number
  readonly schemaVersion: number
  readonly origin: string
  readonly staleBase: boolean
}

const NO_CONDITION: WriteCondition = {}

export class EntityWriter {
  readonly tx: WriteTransaction
  readonly reader: EntityReader
  readonly core: DatabaseCore
  /** Of the operations that replication applies. */
  readonly origin: string
  /** opIds of the entities' writes, in order. */
  readonly opIds: number[] = []
  /** Is told of every record that is written or removed. */
  readonly recorder: ChangeRecorder
  readonly #feed: FeedWriter
  /** Where the opIds of the present transaction begin, as the feed tells them apart. */
  #transactionStart = 0
  #timestampMs: number | undefined
  #dirty = false
  #lastOpId = 0
  /** Changes that were begun and not ended: the store failed in the middle of them. */
  #unfinished = 0

  constructor(tx: WriteTransaction, core: DatabaseCore, origin: string) {
    this.tx = tx
    this.core = core
    this.origin = origin
    this.reader = new EntityReader(tx, core.commits)
    this.recorder = new ChangeRecorder(core.live)
    this.#feed = new FeedWriter(tx, core.feed)
  }

  get feedSetting(): FeedSetting {
    return this.#feed.setting
  }

  setFeed(setting: FeedSetting): void {
    this.#feed.change(setting)
  }

  /** Has it written anything that others may see? */
  get isDirty(): boolean {
    return this.#dirty
  }

  /** OpId of the first operation of the present transaction, as the feed tells them apart; 0 before there is one. */
  get transactionId(): number {
    return this.opIds[this.#transactionStart] ?? 0
  }

  /** What comes now is of another transaction than what was before, though they commit together. */
  beginTransaction(): void {
    this.#transactionStart = this.opIds.length
  }

  /** The highest opId of the transaction, system collections included; 0 when it wrote nothing. */
  get lastOpId(): number {
    return this.#lastOpId
  }

  /** The highest opId that is taken, by this or an earlier transaction. */
  get lastKnownOpId(): number {
    return this.core.commits.lastOpId
  }

  /** Errors: `entity_exists`, `entity_changed`, `unique_violation`. */
  *put(
    state: CollectionState,
    prepared: PreparedEntity,
    condition: WriteCondition = NO_CONDITION,
  ): Steps<WriteOutcome> {
    const { idKey } = prepared
    const found = yield* this.find(state, idKey)
    return yield* this.putOver(found, idKey, state, prepared, condition)
  }

  /** As `put` for each, in order; those before one that is refused stay. Errors: as for `put`. */
  putAll(state: CollectionState, entities: PreparedBatch): Steps<void> {
    return new BulkPut(this, state, entities).run()
  }

  /** `found` is the record that is there; the very `idKey` it was found by spares the store a search. */
  *putOver(
    found: Uint8Array | undefined,
    idKey: Uint8Array,
    state: CollectionState,
    prepared: PreparedEntity,
    condition: WriteCondition,
    bulk?: BulkPlace,
  ): Steps<WriteOutcome> {
    const { id, indexKeys } = prepared
    const existing = found === undefined ? undefined : decodeRecord(found)
    this.#assertCondition(state, id, existing, condition)
    const oldKeys =
      existing === undefined ? undefined : this.indexKeysOf(state, id, idKey, existing)
    if (state.hasUnique) yield* assertUnique(this.tx, state, idKey, indexKeys, oldKeys)
    const row =
      existing === undefined && !state.isSystem ? yield* this.findRow(state, idKey) : undefined
    const revision = existing?.revision ?? row?.state.version ?? 0
    const other = otherBase(existing, condition)
    const { entityVersion, staleBase } =
      other === undefined
        ? { entityVersion: revision, staleBase: false }
        : yield* this.#madeOn(other, revision, existing)
    const unseen = staleBase || (other === undefined && existing?.unseen === true)
    const opId = bulk?.opId ?? this.begin(state, id)
    if (bulk?.opId !== undefined) this.beginChange(state, id)
    if (row !== undefined) yield* this.putBase(state, idKey, row.state)
    else if (existing !== undefined && !existing.pending && revision > 0) {
      yield* this.putBase(state, idKey, replicatedStateOf(existing))
    }
    if (indexKeys.length > 0) {
      // The entity was in this batch before: its entries are to be removed, so they have to be there.
      if (bulk !== undefined && existing !== undefined && existing.stamp > bulk.stampBefore) {
        yield* bulk.indexes.flush(this.tx)
      }
      yield* updateIndexes(this.tx, state, idKey, oldKeys, indexKeys, bulk?.indexes)
    }
    const { isSystem } = state
    const schemaVersion = versionOfWrite(state, existing, prepared)
    prepared.schemaVersion = schemaVersion
    const record = prepared.record({
      pending: !isSystem,
      revision,
      schemaVersion,
      stamp: opId,
      opId,
      unseen,
    })
    const done = this.tx.put(state.recordTable, idKey, record)
    if (done instanceof Promise) yield* wait(done)
    this.recorder.note(state, id, found, record)
    if (this.isRecorded(state)) {
      const payload = prepared.bytes
      const origin = LOCAL
      const made = { state, id, opId, payload, entityVersion, schemaVersion, origin, staleBase }
      const recorded = this.record(made)
      if (recorded instanceof Promise) yield* wait(recorded)
    }
    this.end()
    return { opId, existed: existing !== undefined, revision: unseen ? 0 : revision }
  }

  /** Deleting what is not there writes nothing. Errors: `entity_changed`. */
  *delete(state: CollectionState, id: string, condition: WriteCondition = {}): Steps<WriteOutcome> {
    const idKey = idKeyOf(id)
    const existing = yield* this.reader.findRecord(state, idKey)
    this.#assertCondition(state, id, existing, condition)
    if (existing === undefined) return { opId: undefined, existed: false, revision: 0 }
    const base = state.isSystem ? ABSENT : yield* this.findBase(state, idKey, existing)
    const oldKeys = this.indexKeysOf(state, id, idKey, existing)
    const opId = this.begin(state, id)
    yield* this.removeRecord(state, id, idKey, existing, oldKeys)
    if (!state.isSystem) yield* this.#putPendingDelete(state, idKey, base, opId)
    const mutation = { state, id, opId, payload: null, origin: LOCAL }
    const { schemaVersion } = state
    const other = otherBase(existing, condition)
    const made =
      other === undefined
        ? { entityVersion: base.version, staleBase: false }
        : yield* this.#madeOn(other, base.version, existing)
    yield* wait(this.record({ ...mutation, schemaVersion, ...made }))
    this.end()
    return { opId, existed: true, revision: base.version }
  }

  /** What must be in the transaction before it commits. */
  *finish(): Steps<void> {
    if (this.#unfinished > 0) throw failedHalfway()
    if (!this.#dirty) return
    yield* this.#feed.finish()
    if (this.#lastOpId > 0) yield* writeMeta(this.tx, META_KEYS.lastOpId, this.#lastOpId)
  }

  /** Reads what it sees now, whatever it writes later. */
  pinned(): EntityReader {
    return new EntityReader(this.tx.view(), this.core.commits)
  }

  // Shared with bulk writes (`bulk-put.ts`) and the replication side (`replica-writer.ts`).

  *find(state: CollectionState, idKey: Uint8Array): Steps<Uint8Array | undefined> {
    const found = this.tx.get(state.recordTable, idKey)
    return found instanceof Promise ? yield* wait(found) : found
  }

  /** Begins a write of one entity that makes a new state of it; ends with `end`. */
  begin(state: CollectionState, id: string): number {
    this.beginChange(state, id)
    const opId = this.core.commits.allocateOpIds(1)
    this.#lastOpId = opId
    if (!state.isSystem) this.opIds.push(opId)
    return opId
  }

  /** The first of the opIds of `size` writes; each of them then begins with `beginChange`. */
  allocateOpIds(state: CollectionState, size: number): number {
    const first = this.core.commits.allocateOpIds(size)
    this.#lastOpId = first + size - 1
    if (!state.isSystem) for (let i = 0; i < size; i++) this.opIds.push(first + i)
    return first
  }

  /** Begins a change of what is stored about an entity; ends with `end`. */
  beginChange(state: CollectionState, id: string): void {
    this.beginStep()
    state.cache.invalidate(id)
  }

  /** Begins a change of several rows, none of an entity; ends with `end`. */
  beginStep(): void {
    this.markDirty()
    this.#unfinished++
  }

  end(): void {
    this.#unfinished--
  }

  /** Puts index entries that waited for the end of a bulk write where they belong. */
  *flush(entries: IndexBatch, turns?: Turns): Steps<void> {
    this.#unfinished++
    yield* entries.flush(this.tx, turns)
    this.end()
  }

  markDirty(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.core.commits.openWrites()
  }

  /** What was written is visible, or gone. */
  close(): void {
    if (this.#dirty) this.core.commits.closeWrites()
    this.#feed.end()
  }

  /** Hands the operation to the feed, when that is on. */
  record(mutation: Mutation): MaybePromise<void> {
    if (!this.isRecorded(mutation.state)) return
    const leftOut = this.#feed.leavesOut(mutation.opId, mutation.origin)
    if (leftOut === true) return
    if (leftOut === false) return this.#addToFeed(mutation)
    return leftOut.then((isLeftOut) => (isLeftOut ? undefined : this.#addToFeed(mutation)))
  }

  /** Ends the write of an operation that replication applied. */
  endApplied(state: CollectionState, operation: RawOperation, opId: number): MaybePromise<void> {
    const recorded = this.record({
      state,
      id: operation.entityId,
      opId,
      payload: operation.bytes,
      entityVersion: operation.version,
      schemaVersion: operation.schemaVersion,
      origin: this.origin,
      staleBase: false,
    })
    return recorded instanceof Promise ? recorded.then(() => this.end()) : this.end()
  }

  /** Does no registered reader of the feed follow what replication applies? */
  get ignoresApplied(): boolean {
    return !this.#feed.isOn || this.feedSetting.ignoredOrigin === this.origin
  }

  #addToFeed(mutation: Mutation): MaybePromise<void> {
    const { state, opId } = mutation
    this.#timestampMs ??= wholeMs(this.core.clock())
    // Field by field: spreading an object for every write is what a bulk load would spend its time on.
    return this.#feed.add({
      opId,
      collection: state.name,
      entityId: mutation.id,
      payload: mutation.payload,
      entityVersion: mutation.entityVersion,
      schemaVersion: mutation.schemaVersion,
      timestampMs: this.#timestampMs,
      origin: mutation.origin,
      transactionId: this.transactionId,
      staleBase: mutation.staleBase,
    })
  }

  *findRow(state: CollectionState, idKey: Uint8Array): Steps<ReplicaRow | undefined> {
    const answer = this.tx.get(state.replicaTable, idKey)
    const row = answer instanceof Promise ? yield* wait(answer) : answer
    return row === undefined ? undefined : decodeReplicaRow(row)
  }

  *putRow(state: CollectionState, idKey: Uint8Array, row: ReplicaRow): Steps<void> {
    yield* wait(this.tx.put(state.replicaTable, idKey, encodeReplicaRow(row)))
  }

  *deleteRow(state: CollectionState, idKey: Uint8Array): Steps<void> {
    yield* wait(this.tx.delete(state.replicaTable, idKey))
  }

  /** Remembers the state that pending edits were made on; one that was never there needs no row. */
  *putBase(state: CollectionState, idKey: Uint8Array, base: ReplicatedState): Steps<void> {
    if (isAbsent(base)) yield* this.deleteRow(state, idKey)
    else yield* this.putRow(state, idKey, { kind: 'base', state: base, opId: 0 })
  }

  /** The replicated state under an entity that has a record. */
  *findBase(
    state: CollectionState,
    idKey: Uint8Array,
    existing: StoredRecord,
  ): Steps<ReplicatedState> {
    if (!existing.pending) return replicatedStateOf(existing)
    const row = yield* this.findRow(state, idKey)
    return row?.state ?? ABSENT
  }

  *removeRecord(
    state: CollectionState,
    id: string,
    idKey: Uint8Array,
    existing: StoredRecord,
    oldKeys: IndexKeys | undefined,
  ): Steps<void> {
    yield* updateIndexes(this.tx, state, idKey, oldKeys, undefined)
    yield* wait(this.tx.delete(state.recordTable, idKey))
    this.recorder.note(state, id, existing.record, undefined)
  }

  /** Of what is stored. Error: `migration_failed` when nobody can tell. */
  indexKeysOf(
    state: CollectionState,
    id: string,
    idKey: Uint8Array,
    existing: StoredRecord,
  ): IndexKeys | undefined {
    const { indexes, schemaVersion, chain } = state
    if (indexes.length === 0) return undefined
    if (existing.schemaVersion >= schemaVersion) {
      return indexKeysOf(state, idKey, this.reader.entityOf(state, id, existing))
    }
    if (chain === undefined) throw migrationsUnknown(state.name, id, existing.schemaVersion)
    return indexKeysOf(state, idKey, decodeEntity(indexedForm(state, id, existing).bytes))
  }

  /**
   * Nobody can have been told of an entity that was never replicated while the feed is off: its delete
   * need not be remembered.
   */
  *#putPendingDelete(
    state: CollectionState,
    idKey: Uint8Array,
    base: ReplicatedState,
    opId: number,
  ): Steps<void> {
    if (isAbsent(base) && !this.#feed.isOn) yield* this.deleteRow(state, idKey)
    else yield* this.putRow(state, idKey, { kind: 'pendingDelete', state: base, opId })
  }

  /**
   * An edit that was based on another state than the one that is stored is stale when a newer revision arrived since;
   * and when nothing is stored and nothing known: then what it was based on was deleted, and that is forgotten already.
   */
  *#madeOn(
    basedOn: EntityVersion,
    revision: number,
    existing: StoredRecord | undefined,
  ): Steps<{ readonly entityVersion: number; readonly staleBase: boolean }> {
    const base = yield* revisionToday(this.tx, basedOn)
    const isForgotten = existing === undefined && revision === 0 && basedOn.revision > 0
    const staleBase = base < revision || isForgotten
    return { entityVersion: staleBase ? base : revision, staleBase }
  }

  #assertCondition(
    state: CollectionState,
    id: string,
    existing: StoredRecord | undefined,
    { mustBeNew, ifVersion }: WriteCondition,
  ): void {
    if (mustBeNew === true && existing !== undefined) throw entityExists(state.name, id)
    if (ifVersion !== undefined && ifVersion.stamp !== (existing?.stamp ?? 0)) {
      throw entityChanged(state.name, id)
    }
  }

  /** Are operations of the collection handed to the feed? */
  isRecorded(state: CollectionState): boolean {
    return this.#feed.isOn && !state.isSystem
  }
}

/** What an edit says it was based on, if that is not the very state that is stored. */
function otherBase(
  existing: StoredRecord | undefined,
  { basedOn }: WriteCondition,
): EntityVersion | undefined {
  return basedOn?.stamp === (existing?.stamp ?? 0) ? undefined : basedOn
}

/** Clocks may tell fractions; operations are synced with whole milliseconds (and 0, not -0). 0: no time that a message can name. */
function wholeMs(timeMs: number): number {
  const whole = Math.trunc(timeMs) + 0
  return Number.isSafeInteger(whole) ? whole : 0
}

function failedHalfway(): EntiDBError {
  return new EntiDBError('io_failed', 'A write failed halfway: its transaction was rolled back.', {
    retry: 'later',
  })
}
