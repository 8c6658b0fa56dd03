/** A collection that can be written: of a database, or of a transaction. */
import { assertOptions } from '../errors/assert.ts'
import type { AnyEntity, Entity } from './collection-definition.ts'
import { CollectionReader } from './collection-reader.ts'
import type { CollectionState } from './collection-state.ts'
import { entityNotFound, invalidId } from './entity-errors.ts'
import { assertId, assertSyncedId } from './entity-id.ts'
import { type EntityVersion, knownVersion } from './entity-version.ts'
import type { EntityWriter, WriteCondition, WriteOutcome } from './entity-writer.ts'
import { PreparedBatch, type PreparedEntity, prepareEntity } from './prepared-entity.ts'
import type { WriteSource } from './read-source.ts'
import type { CommitReceipt, TransactionReceipt } from './receipt.ts'
import type { Steps } from './steps.ts'
import { createReceipt } from './write-receipt.ts'

/** What a write rests on; see each option. */
export interface PutOptions<T> {
  /**
   * The entity, as a read returned it, that the edit was made on. If a newer replicated revision was
   * stored since, or it was removed, the write is kept all the same, and sync handles it as a conflict instead of
   * overwriting what nobody saw.
   */
  readonly basedOn?: Readonly<T> | EntityVersion
  /** Refuses the write with `entity_changed` unless this is the stored version. */
  readonly ifVersion?: EntityVersion
}

/**
 * Writes of a database's collection are a transaction each: durable when they resolve. Those of a
 * transaction's collection are part of it. Every write takes its argument at the moment of the call.
 *
 * Errors of every write, besides its own: `invalid_entity` (details: path), `invalid_id`,
 * `schema_violation` (details: issues), `schema_transforms`, `unique_violation` (details: index, ids),
 * `database_closed`, `transaction_closed`, `disk_full`, `io_failed`, `database_failed`, `commit_unknown`.
 */
export class Collection<T extends Entity = AnyEntity> extends CollectionReader<T> {
  readonly #state: CollectionState
  readonly #source: WriteSource

  constructor(state: CollectionState, source: WriteSource) {
    super(state, source)
    this.#state = state
    this.#source = source
  }

  /**
   * Stores the entity, whether or not there is one with its id. Error: `entity_changed` with `ifVersion`.
   *
   * @example
   * await people.put({ ...person, name: 'Ada' }, { basedOn: person })
   */
  async put(entity: Readonly<T>, options: PutOptions<T> = {}): Promise<CommitReceipt<T>> {
    const prepared = this.#prepare(entity, options?.basedOn)
    const condition = conditionOf(options, prepared.id)
    return this.#write(prepared, (writer) => writer.put(this.#state, prepared, condition))
  }

  /** Stores a new entity. Error: `entity_exists`. */
  async insert(entity: Readonly<T>): Promise<CommitReceipt<T>> {
    const prepared = this.#prepare(entity)
    return this.#write(prepared, (writer) => writer.put(this.#state, prepared, { mustBeNew: true }))
  }

  /** Stores many entities in one transaction, as `put` does each. */
  async putMany(entities: Iterable<Readonly<T>>): Promise<TransactionReceipt> {
    this.#source.assertOpen()
    const size = Array.isArray(entities) ? entities.length : 0
    const prepared = new PreparedBatch(this.#state, size)
    for (const entity of entities) prepared.add(entity)
    return this.#source.write((writer) => putAll(writer, this.#state, prepared))
  }

  /**
   * Stores what `change` makes of the entity, with nothing in between. `change` gets it frozen and keeps
   * its id. Error: `entity_not_found`.
   *
   * @example
   * await people.update('p1', (person) => ({ ...person, age: person.age + 1 }))
   */
  async update(
    id: T['id'],
    change: (entity: Readonly<T>) => Readonly<T>,
  ): Promise<CommitReceipt<T>> {
    assertId(id, this.#state.maxIdBytes)
    const state = this.#state
    return this.#source.write(function* (writer): Steps<CommitReceipt<T>> {
      const current = yield* writer.reader.get(state, id)
      if (current === undefined) throw entityNotFound(state.name, id)
      // Put in as T; replicated entities are taken at their word.
      const changed = change(current as Readonly<T>)
      if (changed instanceof Promise)
        throw new TypeError('the change of update must be synchronous')
      const prepared = prepareEntity(state, changed)
      if (prepared.id !== id) throw invalidId(`update must keep the id ${id}`)
      const outcome = yield* writer.put(state, prepared)
      return createReceipt<T>(writer, state, outcome, prepared)
    })
  }

  /**
   * Removes the entity. Removing what is not there is no error and writes nothing. Error: `entity_changed`
   * with `ifVersion`.
   */
  async delete(id: T['id'], options: PutOptions<T> = {}): Promise<CommitReceipt<T>> {
    assertSyncedId(id, this.#state.maxIdBytes)
    const condition = conditionOf(options, id)
    return this.#write(undefined, (writer) => writer.delete(this.#state, id, condition))
  }

  #prepare(entity: Readonly<T>, basedOn?: object): PreparedEntity {
    this.#source.assertOpen()
    return prepareEntity(this.#state, entity, basedOn)
  }

  #write(
    prepared: PreparedEntity | undefined,
    write: (writer: EntityWriter) => Steps<WriteOutcome>,
  ): Promise<CommitReceipt<T>> {
    const state = this.#state
    return this.#source.write(function* (writer): Steps<CommitReceipt<T>> {
      return createReceipt<T>(writer, state, yield* write(writer), prepared)
    })
  }
}

function* putAll(
  writer: EntityWriter,
  state: CollectionState,
  prepared: PreparedBatch,
): Steps<TransactionReceipt> {
  const first = writer.opIds.length
  yield* writer.putAll(state, prepared)
  const opIds = writer.opIds.slice(first)
  return { transactionId: writer.transactionId, opIds }
}

function conditionOf<T extends Entity>(options: PutOptions<T>, id: string): WriteCondition {
  assertOptions('A write', options, ['basedOn', 'ifVersion'])
  const { basedOn, ifVersion } = options
  return {
    ...(ifVersion === undefined ? {} : { ifVersion: takeVersion(ifVersion) }),
    ...(basedOn === undefined ? {} : { basedOn: versionOfBase(basedOn, id) }),
  }
}

/** As it is now: a read entity's version may be learnt more exactly later. */
function versionOfBase(basedOn: object, id: string): EntityVersion {
  const known = knownVersion(basedOn)
  if (known === undefined) return takeVersion(basedOn)
  // Every entity that was read has an id.
  const { id: baseId } = basedOn as Entity
  if (baseId === id) return takeVersion(known)
  throw new TypeError(`basedOn is the entity ${baseId}, but the write is of ${id}`)
}

function takeVersion(version: object): EntityVersion {
  const { stamp, revision } = version as Partial<EntityVersion>
  if (typeof stamp === 'number' && typeof revision === 'number') return { stamp, revision }
  throw new TypeError('a version is the very entity that a read returned, or its versionOf')
}
