/** What the application configures, checked and completed once. */
import { assertOptions } from '@entidb/core'
import { isValidClientDeviceId, isValidDbId } from '@entidb/protocol'
import type { ConflictResolver } from './conflicts/conflict-types.ts'
import { defaultEnvironment, type Environment, type FetchLike } from './environment.ts'
import { type LedgerConfig, type LedgerLimits, ledgerLimitsOf } from './ledger/ledger-limits.ts'
import { parseServerUrl } from './transport/server-url.ts'
import type { AuthTokenProvider } from './transport/token-source.ts'

/** What the application configures. */
export interface SyncConfig {
  /** `https://`, and the path of the server if it has one. */
  readonly serverUrl: URL | string
  /** The database on the server. */
  readonly dbId: string
  /** Default: the random one stored in the database file. */
  readonly deviceId?: string
  /** Asked for a bearer token: at the start, and when the server refuses the last one. */
  readonly authTokenProvider: AuthTokenProvider
  /** Default: every conflict is deferred to `sync.conflicts`. */
  readonly conflictResolver?: ConflictResolver
  /** For the logs of the server. */
  readonly clientInfo?: { readonly platform?: string; readonly appVersion?: string }
  /** Default: the platform's. In Node, `nodeFetch` of `@entidb/sync/node` is quicker, and takes a private CA. */
  readonly fetch?: FetchLike
  /** Accepts `http://` to this machine. Default false. */
  readonly allowInsecureLoopback?: boolean
  /** Follow the server's stream of wake-ups. Default true. */
  readonly stream?: boolean
  /** Milliseconds between cycles when nothing else starts one, above 0; `Infinity`: no such cycles. Default 60,000. */
  readonly pollIntervalMs?: number
  /** Milliseconds a request may take, besides what its answer takes at 64 kbit/s. Default 60,000. */
  readonly requestTimeoutMs?: number
  /** Milliseconds a resolver may take; longer means `defer`. Default 30,000. */
  readonly resolverTimeLimitMs?: number
  /** How much the ledger remembers. */
  readonly ledger?: LedgerConfig
  /** Time, timers and randomness, for tests. */
  readonly environment?: Partial<Environment>
}

export interface Settings {
  /** Without a trailing slash. */
  readonly serverUrl: string
  readonly dbId: string
  readonly deviceId: string | undefined
  readonly authTokenProvider: AuthTokenProvider
  readonly conflictResolver: ConflictResolver | undefined
  readonly clientInfo: { readonly platform?: string; readonly appVersion?: string } | undefined
  readonly stream: boolean
  readonly pollIntervalMs: number
  readonly requestTimeoutMs: number
  readonly resolverTimeLimitMs: number
  readonly ledger: LedgerLimits
  readonly environment: Environment
}

const OPTION_NAMES: readonly (keyof SyncConfig)[] = [
  'serverUrl',
  'dbId',
  'deviceId',
  'authTokenProvider',
  'conflictResolver',
  'clientInfo',
  'fetch',
  'allowInsecureLoopback',
  'stream',
  'pollIntervalMs',
  'requestTimeoutMs',
  'resolverTimeLimitMs',
  'ledger',
  'environment',
]

const CLIENT_INFO_NAMES = ['platform', 'appVersion'] as const

/** Errors: `insecure_url`; TypeError for anything else that is wrong. */
export function settingsOf(config: SyncConfig): Settings {
  assertOptions('The configuration of sync', config, OPTION_NAMES)
  const { dbId, deviceId, conflictResolver, stream = true } = config
  if (!isValidDbId(dbId)) throw new TypeError(`Not a dbId: ${String(dbId)}`)
  if (deviceId !== undefined) assertDeviceId(deviceId)
  if (typeof config.authTokenProvider !== 'function') {
    throw new TypeError('authTokenProvider must be a function')
  }
  if (conflictResolver !== undefined && typeof conflictResolver?.resolve !== 'function') {
    throw new TypeError('conflictResolver must have a function resolve')
  }
  if (typeof stream !== 'boolean') throw new TypeError('stream is true or false')
  if (config.fetch !== undefined && typeof config.fetch !== 'function') {
    throw new TypeError('fetch must be a function')
  }
  if (config.clientInfo !== undefined) assertClientInfo(config.clientInfo)
  const environment = { ...defaultEnvironment(), ...config.environment }
  return {
    serverUrl: parseServerUrl(config.serverUrl, config.allowInsecureLoopback ?? false),
    dbId,
    deviceId,
    authTokenProvider: config.authTokenProvider,
    conflictResolver,
    clientInfo: config.clientInfo,
    stream,
    ...timesOf(config),
    ledger: ledgerLimitsOf(config.ledger ?? {}),
    environment: config.fetch === undefined ? environment : { ...environment, fetch: config.fetch },
  }
}

/** @throws TypeError: no server would understand the handshake. */
function assertClientInfo(clientInfo: NonNullable<SyncConfig['clientInfo']>): void {
  assertOptions('clientInfo', clientInfo, CLIENT_INFO_NAMES)
  for (const name of CLIENT_INFO_NAMES) {
    const text = clientInfo[name]
    // A lone surrogate has no UTF-8 form.
    if (text !== undefined && (typeof text !== 'string' || /\p{Cs}/u.test(text))) {
      throw new TypeError(`clientInfo.${name} is text`)
    }
  }
}

/** @throws TypeError: a timer takes any nonsense for no time at all, and cycles would follow each other without a pause. */
function timesOf({
  pollIntervalMs = 60_000,
  requestTimeoutMs = 60_000,
  resolverTimeLimitMs = 30_000,
}: SyncConfig) {
  const timesMs = { pollIntervalMs, requestTimeoutMs, resolverTimeLimitMs }
  for (const [name, value] of Object.entries(timesMs)) {
    if (!(value > 0)) throw new TypeError(`${name} is a number above 0`)
  }
  return timesMs
}

/** @throws TypeError for what no server takes. */
export function assertDeviceId(deviceId: string): void {
  if (isValidClientDeviceId(deviceId)) return
  throw new TypeError(`Not a deviceId: ${String(deviceId)}`)
}
