/** What a rule works with: the server, devices and collections of its own, and what the handshake announced. */
import type { HandshakeResponse, Limits } from '@entidb/protocol'
import { hexOf } from './cbor-item.ts'
import { Device } from './device.ts'
import { RuleSkipped } from './expectations.ts'
import { known } from './pushed.ts'
import type { Given } from './rule.ts'
import { type SentLog, SyncApi } from './sync-api.ts'
import type { Wire } from './wire.ts'

export interface BenchOptions {
  readonly wire: Wire
  readonly token: string
  readonly dbId: string
  /** A token that may read the database and not write it. */
  readonly readerToken: string | undefined
  /** A database that `token` does not open. */
  readonly otherDatabase: string | undefined
  readonly randomBytes: (count: number) => Uint8Array
  readonly sleep: (ms: number) => Promise<void>
  /** How long a stream may be silent before its heartbeat is late. */
  readonly heartbeatMsMax: number
  /** How long the event of a commit may take. */
  readonly eventMsMax: number
}

/** More entities than that are not written for the sake of one rule. */
const ENTITIES_MAX = 20_000
/** Nor are larger bodies sent. */
const BODY_BYTES_MAX = 64 * 1024 * 1024

export class Bench {
  readonly api: SyncApi
  readonly log: SentLog
  readonly dbId: string
  readonly heartbeatMsMax: number
  readonly eventMsMax: number
  /** Of the run's first handshake. */
  readonly announced: HandshakeResponse
  readonly #options: BenchOptions
  /** Begins the name of every collection of this run. */
  readonly #prefix: string
  #names = 0

  private constructor(
    options: BenchOptions,
    api: SyncApi,
    log: SentLog,
    prefix: string,
    announced: HandshakeResponse,
  ) {
    this.#options = options
    this.api = api
    this.log = log
    this.dbId = options.dbId
    this.heartbeatMsMax = options.heartbeatMsMax
    this.eventMsMax = options.eventMsMax
    this.#prefix = prefix
    this.announced = announced
  }

  /** Shakes hands. Errors: `RuleFailure` when the server does not answer as the protocol has it. */
  static async open(options: BenchOptions): Promise<Bench> {
    const { wire, token, dbId, randomBytes, sleep } = options
    const log: SentLog = { last: () => '', isAnswered: false }
    const api = new SyncApi({ wire, token, sleep, log })
    const run = hexOf(randomBytes(6))
    const deviceId = `conformance-${run}`
    const announced = await api.call('handshake', { dbId, deviceId })
    return new Bench(options, api, log, `cf-${run}-`, announced)
  }

  /** Is there a server at all, whatever it says? */
  async isAnswering(): Promise<boolean> {
    await this.api
      .post('handshake', { dbId: this.dbId, deviceId: this.device().id })
      .catch(() => {})
    return this.log.isAnswered
  }

  /** Does the name belong to this run? */
  ownsCollection(name: string): boolean {
    return name.startsWith(this.#prefix)
  }

  /** A new name, filled up to `length` with letters that a collection may have. */
  newCollection(length = 0): string {
    this.#names += 1
    return `${this.#prefix}${this.#names}-A_z9`.padEnd(length, 'c')
  }

  /** A new device with a new collection; with `collection` that one, with `deviceId` that one. */
  device(given: { readonly collection?: string; readonly deviceId?: string } = {}): Device {
    return new Device({
      api: this.api,
      dbId: this.dbId,
      deviceId: given.deviceId ?? `cf-${hexOf(this.#options.randomBytes(8))}`,
      collection: given.collection ?? this.newCollection(),
    })
  }

  /** The same server, asked with another token. */
  apiWith(token: string): SyncApi {
    const { wire, sleep } = this.#options
    return new SyncApi({ wire, token, sleep, log: this.log })
  }

  /** 16 random bytes. */
  newId(): Uint8Array {
    return this.#options.randomBytes(16)
  }

  given(name: Given): string {
    const value = this.#options[name]
    if (value === undefined) throw new RuleSkipped(reasonWithout[name])
    return value
  }

  /** A server that names its protocol knows the keys marked ext that no capability stands for. */
  get knowsExtensions(): boolean {
    return this.announced.protocol !== undefined
  }

  skip(reason: string): never {
    throw new RuleSkipped(reason)
  }

  /** The rule is skipped when the server announces no limits. */
  get limits(): Limits {
    return known(this.announced.limits, 'limits')
  }

  /** The rule is skipped when it would have to write more than that. */
  entitiesUpTo(count: number): number {
    if (count <= ENTITIES_MAX) return count
    throw new RuleSkipped(`it takes ${count} entities; up to ${ENTITIES_MAX} are written`)
  }

  bodyBytesUpTo(count: number): number {
    if (count <= BODY_BYTES_MAX) return count
    throw new RuleSkipped(`it takes a body of ${count} bytes; up to ${BODY_BYTES_MAX} are sent`)
  }
}

const reasonWithout: Readonly<Record<Given, string>> = {
  readerToken: 'no --reader-token was given',
  otherDatabase: 'no --other-db was given',
}
