/** `@entidb/core/replication`: what a sync client needs of the engine. */
export type { CommitListener, CommittedTransaction } from './entities/commit-log.ts'
export type { EntityStamp } from './entities/entity-stamp.ts'
export type { DbOperation, OpType } from './entities/operation.ts'
export { ReplicaSnapshot } from './entities/replica-snapshot.ts'
export type {
  AppliedOperations,
  CommittedEdit,
  DatabaseIdentity,
  IndexViolation,
  RawOperation,
  ReplicaEntry,
  ReplicaRef,
  ReplicaScanOptions,
  ReplicaState,
  ReplicaTransaction,
  ReplicatedState,
} from './entities/replication.ts'
export {
  type AcknowledgeOptions,
  type ReadFeedOptions,
  Replication,
  replication,
  type SystemCollections,
} from './entities/replication-access.ts'
