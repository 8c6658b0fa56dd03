/** The sync server: hosts many databases of the same engine behind HTTPS. `docs/protocol.md` is what it speaks. */
export type { Access, Authenticator, Identity } from './auth/identity.ts'
export { type JwtAuthOptions, jwtAuth } from './auth/jwt-auth.ts'
export { type StaticToken, staticTokens } from './auth/static-tokens.ts'
export {
  createSyncHandler,
  type SyncHandler,
  type SyncHandlerOptions,
} from './create-sync-handler.ts'
export {
  createSyncServer,
  type ListenOptions,
  type SyncServer,
  type SyncServerOptions,
} from './create-sync-server.ts'
export {
  type AcceptedOpRow,
  type CollectionStateRow,
  type ConflictRow,
  type DeviceRow,
  type EntityRow,
  type EpochRow,
  type MetaRow,
  type OplogRow,
  type ServerCollections,
  type SupersededReplicaRow,
  serverCollections,
  sortableNumber,
  type TombstoneRow,
} from './database/collections.ts'
export type { HeadListener } from './database/head-listeners.ts'
export type { HousekeepingReport } from './database/housekeeping.ts'
export type { RandomBytes } from './database/meta.ts'
export { type BegunEpoch, beginNewEpoch } from './database/new-epoch.ts'
export type {
  CollectionPolicy,
  CurrentState,
  EntityRule,
  Policy,
  ProposedOperation,
  Refusal,
} from './database/policy.ts'
export type { DatabaseStats } from './database/stats.ts'
export type { ClosedFiles, SyncDatabase } from './database/sync-database.ts'
export type { RequestBody } from './http/request-body.ts'
export type { Exchange } from './http/sync-app.ts'
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from './limits.ts'
export type { TlsOptions } from './listener.ts'
export {
  type JsonLoggerOptions,
  jsonLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  silentLogger,
} from './logger.ts'
export type { Timers } from './timers.ts'
