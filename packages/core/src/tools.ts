/** `@entidb/core/tools`: opening a database without its application's definitions, for tools. */
export type { EncodedEntity, EncodedPutOutcome, OnConflict } from './entities/encoded-put.ts'
export {
  type OpenStoredOptions,
  openStored,
  type StoredCollections,
} from './entities/stored-database.ts'
export {
  createStoredCollection,
  putEncodedEntities,
  putEncodedEntity,
  readToolState,
  type StoredCollection,
  storedCollections,
  writeToolState,
} from './entities/tool-access.ts'
