/** The sync server as a function from Request to Response: for tests, and to mount it elsewhere. */
import { randomBytes } from 'node:crypto'
import { assertOptions, type Storage } from '@entidb/core'
import type { Authenticator } from './auth/identity.ts'
import { assertPolicy } from './database/assert-policy.ts'
import type { RandomBytes } from './database/meta.ts'
import type { Policy } from './database/policy.ts'
import type { DatabaseStats } from './database/stats.ts'
import type { SyncDatabase } from './database/sync-database.ts'
import { Databases } from './databases.ts'
import { errorResponse } from './http/error-response.ts'
import { StreamSlots } from './http/stream-slots.ts'
import { createSyncApp, type Exchange } from './http/sync-app.ts'
import { resolveLimits, type ServerLimits } from './limits.ts'
import { jsonLogger, type Logger } from './logger.ts'
import { Metrics } from './metrics.ts'
import { systemTimers, type Timers } from './timers.ts'

const DEFAULT_RETENTION_MS = 90 * 24 * 60 * 60 * 1000

/** What a sync server serves, to whom, and within which bounds. */
export interface SyncHandlerOptions {
  /** A folder; each database is a folder in it, named by its dbId. This or `storage`. */
  readonly dataDir?: string
  /**
   * Where the database of a dbId is kept. Called once for each opening. With it databases stay open until the
   * server closes, unless `limits` say how many may be open, or for how long idle ones are.
   */
  readonly storage?: (dbId: string) => Storage
  /** Who may do what: `jwtAuth`, `staticTokens`, or your own. */
  readonly auth: Authenticator
  /** Default: a token with access to a database may do everything in it. */
  readonly policy?: Policy
  /** Bounds; those that are absent have their defaults. */
  readonly limits?: Partial<ServerLimits>
  /** Whether a token with write access creates a database by using it; default false. */
  readonly createDatabases?: boolean
  /**
   * Whether a deviceId belongs to the subject that uses it first: another subject's requests with it are answered
   * `device_conflict`, and its device goes on under a new one. Default false: whoever may read may use any deviceId.
   */
  readonly bindDevices?: boolean
  /**
   * How long deletes, conflicts and silent devices are remembered, in milliseconds; default 90 days. A device that
   * stays away for longer syncs anew when it comes back, and loses no edit.
   */
  readonly retentionMs?: number
  /** Origins whose web pages may use the server, such as `https://app.example.org`; default none. */
  readonly corsOrigins?: readonly string[] | '*'
  /** Default: JSON lines of warnings and errors on standard error. */
  readonly logger?: Logger
  /** Milliseconds since 1970; shown and used for retention and token life, never to decide about data. */
  readonly clock?: () => number
  /** Default: the system's cryptographic source. */
  readonly randomBytes?: RandomBytes
  /** Timers, for tests. Default: the host's. */
  readonly timers?: Timers
}

/** The sync server without a port: for a server of your own. */
export interface SyncHandler {
  /**
   * Answers every request, errors included; never rejects. `exchange` tells when an answer has been taken, so that it counts
   * among those of its subject until then, and may bring the body by a quicker way than that of the Request.
   */
  fetch(request: Request, exchange?: Exchange): Promise<Response>
  readonly limits: ServerLimits
  /** Errors: `unknown_database`. */
  stats(dbId: string): Promise<DatabaseStats>
  /** The semantics of one database without HTTP; it stays open until the server closes. Errors: `unknown_database`. */
  database(dbId: string): Promise<SyncDatabase>
  /** From now on requests are answered `unavailable`, and event streams have ended. */
  beginClosing(): void
  /** Begins closing, waits for what is being written, and closes the databases. */
  close(): Promise<void>
}

/**
 * @example
 * const handler = createSyncHandler({
 *   storage: () => memoryStorage(),
 *   auth: staticTokens({ secret: { subject: 'me', databases: '*', access: 'write' } }),
 *   createDatabases: true,
 * })
 * const response = await handler.fetch(new Request('https://sync/v1/handshake', { ... }))
 */
export function createSyncHandler(options: SyncHandlerOptions): SyncHandler {
  assertHandlerOptions(options)
  const limits = resolveLimits(options.limits)
  const clock = options.clock ?? Date.now
  const timers = options.timers ?? systemTimers
  const logger = options.logger ?? jsonLogger({ clock })
  const databases = new Databases({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.storage === undefined ? {} : { storage: options.storage }),
    createDatabases: options.createDatabases ?? false,
    bindDevices: options.bindDevices ?? false,
    closesIdle: closesIdle(options),
    limits,
    policy: options.policy ?? {},
    retentionMs: retentionOf(options),
    logger,
    clock,
    timers,
    randomBytes: options.randomBytes ?? ((count) => new Uint8Array(randomBytes(count))),
    ...(options.timers === undefined
      ? {}
      : { scheduler: { after: (delayMs, task) => timers.set(task, delayMs) } }),
  })
  const streams = new StreamSlots(limits)
  let closing = false
  const app = createSyncApp({
    databases,
    auth: options.auth,
    limits,
    logger,
    metrics: new Metrics({ streams: () => streams.open, databases: () => databases.openCount }),
    streams,
    timers,
    corsOrigins: options.corsOrigins ?? [],
    clock,
    isClosing: () => closing,
  })
  const beginClosing = (): void => {
    closing = true
    streams.endAll()
  }
  return {
    fetch: async (request, exchange = {}) => {
      try {
        return await app.fetch(request, exchange)
      } catch (error) {
        // Hono hands on only what is not an Error, which a foreign authenticator may throw.
        return errorResponse(error, logger, {})
      }
    },
    limits,
    stats: (dbId) => databases.use(dbId, (database) => database.stats()),
    database: (dbId) => databases.pin(dbId),
    beginClosing,
    close: async () => {
      beginClosing()
      await databases.close()
    },
  }
}

const OPTION_NAMES: readonly (keyof SyncHandlerOptions)[] = [
  'dataDir',
  'storage',
  'auth',
  'policy',
  'limits',
  'createDatabases',
  'bindDevices',
  'retentionMs',
  'corsOrigins',
  'logger',
  'clock',
  'randomBytes',
  'timers',
]

/** What merely looks right would open more than was meant. @throws TypeError */
function assertHandlerOptions(options: SyncHandlerOptions): void {
  assertOptions('A sync server', options, OPTION_NAMES)
  const { dataDir, storage, auth, corsOrigins = [] } = options
  if ((dataDir === undefined) === (storage === undefined)) {
    throw new TypeError('Give either dataDir or storage')
  }
  if (dataDir !== undefined && typeof dataDir !== 'string') {
    throw new TypeError('dataDir is the path of a folder')
  }
  if (storage !== undefined && typeof storage !== 'function') {
    throw new TypeError('storage is a function of a dbId')
  }
  if (typeof auth?.authenticate !== 'function') {
    throw new TypeError('auth is jwtAuth(...), staticTokens(...), or has a function authenticate')
  }
  for (const name of ['createDatabases', 'bindDevices'] as const) {
    if (typeof (options[name] ?? false) !== 'boolean') {
      throw new TypeError(`${name} is true or false`)
    }
  }
  if (corsOrigins !== '*' && !Array.isArray(corsOrigins)) {
    throw new TypeError("corsOrigins is '*' or a list of origins")
  }
  assertPolicy(options.policy ?? {})
}

function retentionOf({ retentionMs = DEFAULT_RETENTION_MS }: SyncHandlerOptions): number {
  if (Number.isSafeInteger(retentionMs) && retentionMs >= 0) return retentionMs
  throw new TypeError(`retentionMs is a whole number from 0, not ${String(retentionMs)}`)
}

/** A storage of the application's own may be gone once it is closed, like one in memory. */
function closesIdle({ dataDir, limits = {} }: SyncHandlerOptions): boolean {
  return (
    dataDir !== undefined ||
    limits.maxOpenDatabases !== undefined ||
    limits.idleDatabaseMs !== undefined
  )
}
