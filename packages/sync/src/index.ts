/** `@entidb/sync`: the sync client. `docs/sync-client.md` explains what it does and what it asks of you. */
export type { SyncConfig } from './config.ts'
export type { ConflictDesk } from './conflicts/conflict-desk.ts'
export type {
  ConflictResolver,
  GroupMember,
  LocalSide,
  OpenConflict,
  RemoteSide,
  Resolution,
  ResolveContext,
  SyncedEntity,
} from './conflicts/conflict-types.ts'
export type { RejectedEntity, Rejection } from './conflicts/rejection.ts'
export type { RejectionDesk } from './conflicts/rejection-desk.ts'
export {
  EntiDBSync,
  type SyncOptions,
  type SyncResult,
} from './entidb-sync.ts'
export type { EntityRef } from './entity-ref.ts'
export type {
  ByteStream,
  Environment,
  FetchInit,
  FetchLike,
  FetchResponse,
  Timers,
} from './environment.ts'
export type { ResyncReason, SyncEventName, SyncEvents } from './events.ts'
export type { EvictOptions, EvictResult } from './evict/evict.ts'
export type { EntitySyncState, RevisionAuthor, SyncExplanation } from './explain/explanation.ts'
export type { SettledFate } from './fates/fate-watch.ts'
export type { Ledger, RestoreOptions } from './ledger/ledger.ts'
export type { LedgerConfig } from './ledger/ledger-limits.ts'
export type {
  KeptEntity,
  LedgerEntity,
  LedgerEntry,
  LedgerFate,
  LedgerQuery,
} from './ledger/ledger-types.ts'
export type { ListListener, LiveList } from './live-list.ts'
export type { CycleState } from './machine/cycle-machine.ts'
export { byCollection } from './resolvers/by-collection.ts'
export {
  type FieldMerge,
  type FieldSides,
  type MergeOptions,
  mergeThreeWay,
  type ThreeWayMerge,
} from './resolvers/merge-three-way.ts'
export { keepLocal, takeRemote } from './resolvers/one-side.ts'
export {
  type ContestedField,
  type MergePolicy,
  mergeFields,
  threeWay,
} from './resolvers/three-way.ts'
export {
  decodeUnsynced,
  type ExportedState,
  type UnsyncedHeader,
  type UnsyncedRecord,
} from './sign-out/export-unsynced.ts'
export type { ImportedEdits } from './sign-out/import-unsynced.ts'
export type { SignedOut } from './sign-out/remove-all.ts'
export type { SignOut } from './sign-out/sign-out.ts'
export type { UnsyncedEntity, UnsyncedReport } from './sign-out/unsynced.ts'
export type { SyncProgress, SyncStatus } from './status.ts'
export type { TraceCounts, TraceEntry } from './trace/sync-trace.ts'
export type { TraceReport, TraceState } from './trace/trace-report.ts'
export type { AuthTokenProvider, TokenReason } from './transport/token-source.ts'
export type {
  Difference,
  DivergentEntity,
  NotAskedReason,
  VerifyOptions,
  VerifyResult,
} from './verify/verify-result.ts'
