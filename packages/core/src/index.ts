/** `@entidb/core`: the engine. No networking, and nothing that only Node or a browser has. */
export {
  type BackupOptions,
  type BackupProgress,
  type BackupReport,
  type ByteSink,
  type ByteSinkWriter,
  type ByteStream,
  backUpStore,
  type RestoreOptions,
  restoreBackup,
} from './entities/backup.ts'
export type { ChangesOptions } from './entities/changes.ts'
export { Collection, type PutOptions } from './entities/collection.ts'
export {
  type AnyEntity,
  type CollectionDefinition,
  type CollectionDefinitions,
  type CollectionOptions,
  type Direction,
  type Directions,
  defineCollection,
  type Entity,
  type EntityOf,
  type IndexField,
  type IndexOptions,
  type IndexPath,
  type Migration,
} from './entities/collection-definition.ts'
export {
  CollectionReader,
  type RawEntity,
  type RawRange,
  type ReadScope,
} from './entities/collection-reader.ts'
export { compareValues } from './entities/compare-values.ts'
export type {
  ArrayConditions,
  Condition,
  Conditions,
  EqualityConditions,
  RangeConditions,
  TextConditions,
} from './entities/conditions.ts'
export {
  type CompactOptions,
  type DatabaseStats,
  EntiDB,
  type TransactionOptions,
} from './entities/database.ts'
export { DatabaseCollection } from './entities/database-collection.ts'
export type { DatabaseLimits } from './entities/database-core.ts'
export type { EntityStamp } from './entities/entity-stamp.ts'
export { type EntityVersion, versionOf } from './entities/entity-version.ts'
export type { FeedReader, FeedReadOptions } from './entities/feed-registration.ts'
export type { FieldPath, ListPath, ValueAt } from './entities/field-types.ts'
export type { RandomBytes } from './entities/identity.ts'
export type { LiveChange, LiveChanges } from './entities/live-changes.ts'
export { type LiveListener, type LiveOptions, LiveQuery } from './entities/live-query.ts'
export { memoryStorage } from './entities/memory-storage.ts'
export {
  type CollectionPlan,
  type MigrationFailure,
  type MigrationPlan,
  type MigrationPlanOptions,
  type MigrationSample,
  planMigrations,
} from './entities/migration-plan.ts'
export type { OpenOptions } from './entities/open-database.ts'
export type { OpenProgress } from './entities/open-work.ts'
export type { DbOperation, OpType } from './entities/operation.ts'
export type {
  OrderBy,
  Page,
  PageQuery,
  Query,
  QueryExplanation,
  Where,
} from './entities/query.ts'
export type { CommitReceipt, TransactionReceipt } from './entities/receipt.ts'
export { type SalvageOptions, type SalvageProgress, salvage } from './entities/salvage.ts'
export type { SalvageLoss, SalvageReport } from './entities/salvage-report.ts'
export type { Answer, Selected, Selection } from './entities/selection.ts'
export { Snapshot } from './entities/snapshot.ts'
export type {
  StandardSchema,
  StandardSchemaIssue,
  StandardSchemaProps,
  StandardSchemaResult,
} from './entities/standard-schema.ts'
export { Transaction } from './entities/transaction.ts'
export { type VerifyOptions, verifyStore } from './entities/verify.ts'
export type {
  VerifyProblem,
  VerifyProblemCode,
  VerifyProgress,
  VerifyReport,
} from './entities/verify-report.ts'
export { assertInvariant, assertOptions } from './errors/assert.ts'
export {
  type EngineErrorCode,
  EntiDBError,
  type EntiDBErrorOptions,
  type ErrorCode,
  isEntiDBError,
  type Retry,
  type SyncErrorCode,
  type ToolErrorCode,
  type WireErrorCode,
} from './errors/entidb-error.ts'
export type { DirectoryLock, File, FileSystem, MaybePromise } from './files/file-system.ts'
export { createMemoryFileSystem } from './files/memory-file-system.ts'
export type {
  Batch,
  CopyProgress,
  Durability,
  KeyRange,
  KeyValueStore,
  Reader,
  RecoveryReport,
  Storage,
  StoreLayout,
  StoreMaintenance,
  StoreProblem,
  StoreSnapshot,
  StoreStats,
  StoreVerification,
  TableLayout,
  TreeCursor,
  WorkProgress,
  WriteTransaction,
} from './store/key-value-store.ts'
export type { SalvagedPart, SalvageStoreOptions, StoreLoss } from './store/salvage-part.ts'
export type { Scheduler } from './store/scheduler.ts'
export { treeStorage } from './store/tree-storage.ts'
