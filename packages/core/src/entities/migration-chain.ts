/**
 * The migrations of a collection: from any older version of its entities' shape to the one that the code
 * knows, one step after the other. `docs/decisions/0006-migrations.md`.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { NO_LIMIT } from '../cbor/entity-limits.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { CollectionDefinition, Migration } from './collection-definition.ts'
import { migrationFailed } from './entity-errors.ts'
import type { StoredRecord } from './record.ts'

/** An entity as it is stored: `[entityStart, length)` of `record`, in its own version. */
export type StoredForm = Pick<StoredRecord, 'record' | 'entityStart' | 'schemaVersion'>

export class MigrationChain {
  readonly #collection: string
  /** By the version that it leads to. */
  readonly #steps: ReadonlyMap<number, Migration>

  constructor(collection: string, steps: ReadonlyMap<number, Migration>) {
    this.#collection = collection
    this.#steps = steps
  }

  /** The entity's CBOR in version `to`, which is above the stored one. Error: `migration_failed`. */
  upgrade(id: string, stored: StoredForm, to: number): Uint8Array {
    const { record, entityStart, schemaVersion: from } = stored
    let entity = decodeEntity(record, entityStart)
    for (let version = from + 1; version <= to; version++) {
      try {
        entity = this.#step(version, entity, id)
      } catch (cause) {
        throw migrationFailed(this.#collection, id, { from, to, step: version }, cause)
      }
    }
    try {
      return encodeEntity(entity, NO_LIMIT)
    } catch (cause) {
      throw migrationFailed(this.#collection, id, { from, to }, cause)
    }
  }

  #step(version: number, old: unknown, id: string): unknown {
    const step = this.#steps.get(version)
    if (step === undefined) throw new TypeError(`there is no migration to version ${version}`)
    const entity: unknown = step(old)
    if (entity instanceof Promise) {
      // Its outcome comes too late to matter; a rejection must not go unhandled.
      entity.catch(() => {})
      throw new TypeError('a migration has to be synchronous')
    }
    if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
      throw new TypeError('a migration has to return the entity')
    }
    if (!('id' in entity) || entity.id !== id) {
      throw new EntiDBError('invalid_id', `a migration has to keep the id ${id}`)
    }
    return entity
  }
}

/**
 * Steps may be missing: only data that needs them tells whether that is a mistake.
 *
 * @throws TypeError for steps that are no functions, or lead to no version from 2 to the definition's.
 */
export function createMigrationChain(
  collection: string,
  { migrations = {}, version = 1 }: CollectionDefinition,
): MigrationChain {
  if (typeof migrations !== 'object' || migrations === null) {
    throw new TypeError(`The migrations of ${collection} are functions by version`)
  }
  const steps = new Map<number, Migration>()
  for (const [key, step] of Object.entries(migrations)) {
    const to = /^[1-9]\d*$/.test(key) ? Number(key) : 0
    if (!(to >= 2 && to <= version)) {
      throw new TypeError(
        `The migrations of ${collection} lead to versions from 2 to ${version}, not to ${key}`,
      )
    }
    if (typeof step !== 'function') {
      throw new TypeError(`The migration of ${collection} to version ${key} is no function`)
    }
    steps.set(to, step)
  }
  return new MigrationChain(collection, steps)
}
