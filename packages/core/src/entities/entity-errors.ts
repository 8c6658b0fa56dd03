/** Errors of the entity layer. */
import { EntiDBError } from '../errors/entidb-error.ts'

export function entityExists(collection: string, id: string): EntiDBError {
  return new EntiDBError('entity_exists', `${collection} already has an entity with the id ${id}`, {
    details: { collection, id },
  })
}

export function entityNotFound(collection: string, id: string): EntiDBError {
  return new EntiDBError('entity_not_found', `${collection} has no entity with the id ${id}`, {
    details: { collection, id },
  })
}

export function entityChanged(collection: string, id: string): EntiDBError {
  return new EntiDBError(
    'entity_changed',
    `${id} in ${collection} changed since it was read. Read it again and repeat the edit on what is there now.`,
    { details: { collection, id } },
  )
}

export function invalidId(reason: string): EntiDBError {
  return new EntiDBError('invalid_id', reason)
}

export function unknownCollection(collection: string): EntiDBError {
  return new EntiDBError(
    'unknown_collection',
    `There is no collection named ${collection}. Name it in the collections of EntiDB.open.`,
    { details: { collection } },
  )
}

export function uniqueViolation(
  collection: string,
  index: string,
  ids: readonly string[],
): EntiDBError {
  return new EntiDBError(
    'unique_violation',
    `The unique index ${index} of ${collection} has this key already: ${ids.slice(1).join(', ')}`,
    { details: { collection, index, ids } },
  )
}

export function migrationFailed(
  collection: string,
  id: string,
  versions: { readonly from: number; readonly to: number; readonly step?: number },
  cause: unknown,
): EntiDBError {
  const { from, to, step } = versions
  const where = step === undefined ? '' : `, in the step to ${step}`
  const why = cause instanceof Error ? cause.message : String(cause)
  return new EntiDBError(
    'migration_failed',
    `${id} in ${collection} could not be migrated from version ${from} to ${to}${where}: ${why}`,
    { cause, details: { collection, id, ...versions } },
  )
}

/** A tool writes over an entity whose index entries only the application's migrations can tell. */
export function migrationsUnknown(collection: string, id: string, from: number): EntiDBError {
  return new EntiDBError(
    'migration_failed',
    `${id} in ${collection} is stored in version ${from}, and its migrations are not known here. Write it with the application.`,
    { details: { collection, id, from } },
  )
}

export function transactionClosed(): EntiDBError {
  return new EntiDBError(
    'transaction_closed',
    'The transaction has ended. Await everything that belongs to it inside its callback.',
  )
}

export function snapshotReleased(): EntiDBError {
  return new EntiDBError('transaction_closed', 'The snapshot was released.')
}

export function liveQueryClosed(): EntiDBError {
  return new EntiDBError('transaction_closed', 'The live query was closed.')
}

export function changeFeedOff(): EntiDBError {
  return new EntiDBError(
    'change_feed_off',
    'The change feed is off. Open the database with changeFeed: true.',
  )
}

export function invalidQuery(reason: string): EntiDBError {
  return new EntiDBError('invalid_query', reason)
}
