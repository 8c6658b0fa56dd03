/**
 * The one error class of EntiDB. `code` is API and stable; `message` is for people and may change.
 * Test by `code`, never by `instanceof`: two copies of the library may be loaded.
 */

/** Codes that the engine itself raises. `docs/errors.md` documents each; each is provoked by a test. */
export type EngineErrorCode =
  | 'database_locked'
  | 'not_a_database'
  | 'format_too_new'
  | 'corrupt'
  | 'disk_full'
  | 'io_failed'
  | 'database_failed'
  | 'database_closed'
  | 'database_exists'
  | 'commit_unknown'
  | 'read_only'
  | 'entity_exists'
  | 'entity_not_found'
  | 'entity_changed'
  | 'invalid_entity'
  | 'invalid_id'
  | 'invalid_cbor'
  | 'too_large'
  | 'unique_violation'
  | 'schema_violation'
  | 'schema_transforms'
  | 'unknown_collection'
  | 'invalid_query'
  | 'migration_failed'
  | 'data_newer_than_code'
  | 'transaction_closed'
  | 'transaction_abandoned'
  | 'backup_abandoned'
  | 'change_feed_off'
  | 'feed_reader_unknown'
  | 'load_failed'

/** Codes that travel on the wire of SyncProtocol v1 (`docs/protocol.md`). */
export type WireErrorCode =
  | 'invalid_request'
  | 'unsupported_protocol'
  | 'unauthenticated'
  | 'forbidden'
  | 'unknown_database'
  | 'not_found'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'unsupported_media_type'
  | 'op_id_reused'
  | 'device_conflict'
  | 'epoch_mismatch'
  | 'cursor_moved'
  | 'cursor_expired'
  | 'too_large'
  | 'cursor_ahead'
  | 'rate_limited'
  | 'internal'
  | 'unavailable'

/** Codes that the sync client raises on its own account. */
export type SyncErrorCode =
  | 'sync_stopped'
  | 'unauthorized'
  | 'conflict_changed'
  | 'rejection_changed'
  | 'entity_unsynced'
  | 'unsynced_edits'
  | 'nothing_kept'
  | 'resolver_failed'
  | 'insecure_url'
  | 'server_unreachable'
  | 'invalid_response'

/** Codes that the command line raises on its own account. */
export type ToolErrorCode = 'invalid_input' | 'import_unfinished' | 'file_exists'

/** Every code there is. */
export type ErrorCode = EngineErrorCode | WireErrorCode | SyncErrorCode | ToolErrorCode

/** What a caller may do about an error: nothing, try later, reopen the database, or authenticate anew. */
export type Retry = 'no' | 'later' | 'after-reopen' | 'after-auth'

/** What an error is made of besides its code and message. */
export interface EntiDBErrorOptions {
  /** The error that led to it. */
  readonly cause?: unknown
  /** Facts for programs: file, offset, path, ids, ... Plain data only. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Default `'no'`. */
  readonly retry?: Retry
}

/** Every error that EntiDB throws, but for `TypeError` at wrong arguments. `docs/errors.md` lists the codes. */
export class EntiDBError extends Error {
  override readonly name = 'EntiDBError'
  /** Stable: test by it. */
  readonly code: ErrorCode
  /** Facts for programs: file, offset, path, ids, ... Plain data. */
  readonly details: Readonly<Record<string, unknown>>
  /** What a caller may do about it. */
  readonly retry: Retry

  constructor(code: ErrorCode, message: string, options: EntiDBErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    this.retry = options.retry ?? 'no'
  }
}

/** True for an error of EntiDB, whichever copy of the library threw it; with `code`, of just that code. */
export function isEntiDBError(error: unknown, code?: ErrorCode): error is EntiDBError {
  return (
    error instanceof Error &&
    error.name === 'EntiDBError' &&
    'code' in error &&
    (code === undefined || error.code === code)
  )
}
