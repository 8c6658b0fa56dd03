/**
 * The sync client. It makes the copies of one database on many devices agree, through a server, and
 * never overwrites an edit silently. Everything it has to remember lies in the database itself.
 */
import type { EntiDB } from '@entidb/core'
import { EntiDBError, isEntiDBError } from '@entidb/core'
import { ChangeSignal } from './change-signal.ts'
import { assertDeviceId, type Settings, type SyncConfig, settingsOf } from './config.ts'
import { ConflictDesk } from './conflicts/conflict-desk.ts'
import { RejectionDesk } from './conflicts/rejection-desk.ts'
import { SyncEmitter, type SyncEventName, type SyncEvents } from './events.ts'
import { type EvictOptions, type EvictResult, evict } from './evict/evict.ts'
import { fetchEvicted } from './evict/fetch-evicted.ts'
import { entityState, explainEntity } from './explain/explain.ts'
import type { EntitySyncState, SyncExplanation } from './explain/explanation.ts'
import { FateWatch, type SettledFate } from './fates/fate-watch.ts'
import { Ledger } from './ledger/ledger.ts'
import { offerAll } from './push/offer.ts'
import { renumberForDevice } from './push/undecided.ts'
import { type ImportedEdits, importUnsynced } from './sign-out/import-unsynced.ts'
import { SignOut, type SignOutParts } from './sign-out/sign-out.ts'
import { reportUnsynced } from './sign-out/unsynced.ts'
import { StartAgain } from './start-again.ts'
import { coreEngine } from './state/core-engine.ts'
import { type Commit, type Engine, SYNC_ORIGIN } from './state/engine.ts'
import type { SyncStore } from './state/sync-store.ts'
import { StatusBoard, type SyncStatus } from './status.ts'
import { openSession, type SyncSession } from './sync-session.ts'
import { SyncTrace } from './trace/sync-trace.ts'
import { traceEvents } from './trace/trace-events.ts'
import { type TraceReport, traceReport } from './trace/trace-report.ts'
import { verify } from './verify/verifier.ts'
import type { VerifyOptions, VerifyResult } from './verify/verify-result.ts'

/** What `EntiDBSync` works on. */
export interface SyncOptions {
  /** Opened with `changeFeed: true`. */
  readonly db: EntiDB
  /** The server, and how to deal with it. */
  readonly config: SyncConfig
}

/** What one cycle did. */
export interface SyncResult {
  /** Operations of other devices that changed something here. */
  readonly pulled: number
  /** Operations that the server accepted. */
  readonly pushed: number
  /** Times both sides had changed one entity, settled or not. */
  readonly conflicts: number
  /** Operations that the server refused, or would, with all that stands or falls with them. */
  readonly rejected: number
  /** Everything up to here was received. */
  readonly cursor: number
}

/** Makes a database and its copies on other devices agree, through a server. `docs/sync-client.md` says how. */
export class EntiDBSync {
  /** Conflicts that nobody has settled. */
  readonly conflicts: ConflictDesk
  /** Groups that the server refused. */
  readonly rejections: RejectionDesk
  /** What became of every local transaction, and the values that lost a conflict. */
  readonly ledger: Ledger
  readonly #engine: Engine
  readonly #settings: Settings
  readonly #emitter = new SyncEmitter()
  readonly #board: StatusBoard
  readonly #fates = new FateWatch()
  readonly #changes = new ChangeSignal()
  readonly #trace: SyncTrace
  #opening: Promise<SyncSession> | undefined
  /** The session that `stop` is ending; who only looks may use it as long as that takes. */
  #ending: Promise<SyncSession> | undefined
  /** When it has ended: one session works on the database at a time. */
  #closing: Promise<void> = Promise.resolve()
  #session: SyncSession | undefined
  readonly #startAgain: StartAgain
  /** Of `start` and `stop` only what the last call began goes on. */
  #starts = 0
  #endListening: () => void = () => {}
  #endFollowing: (() => void) | undefined
  #endClaim: () => void = () => {}
  #stopped = false
  /** Everything was removed, or is about to be: nothing is begun anew before the next `start`. */
  #signedOut = false

  /** Does nothing yet: no request before `start` or `sync`. Errors: `insecure_url`; TypeError. */
  constructor({ db, config }: SyncOptions, engine: Engine = coreEngine(db)) {
    this.#settings = settingsOf(config)
    this.#engine = engine
    this.#trace = new SyncTrace(this.#settings.environment.now)
    traceEvents(this.#emitter, this.#trace)
    const { environment, pollIntervalMs } = this.#settings
    this.#startAgain = new StartAgain({ ...environment, pollIntervalMs })
    this.#board = new StatusBoard((status) => this.#emitter.emit('status', status))
    const store = async (): Promise<SyncStore> => (await this.#open()).store
    const wake = (): void => this.#session?.driver.wake()
    this.conflicts = new ConflictDesk(store, this.#changes.on, wake)
    this.ledger = new Ledger(store, this.#changes.on, wake)
    this.rejections = new RejectionDesk(store, wake)
  }

  /** The present status; a new object whenever something changed. */
  get status(): SyncStatus {
    return this.#board.status
  }

  /** Returns a function that ends it. @throws TypeError for an event that there is not. */
  on<Name extends SyncEventName>(
    name: Name,
    listener: (payload: SyncEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener)
  }

  /**
   * From now on syncs by itself: after commits, when the server has news, when the device comes online,
   * and on a slow timer. Resolves when that is set up; being offline is no error. Where it cannot be set up because of
   * what may pass (`disk_full`), that is told by the event `error` and by `status`, as of a cycle, and tried again by
   * itself. Of `start` and `stop` the last call counts, whether the ones before were waited for or not.
   *
   * Errors: `change_feed_off`; what a database that failed throws.
   */
  async start(): Promise<void> {
    this.#startAgain.reset()
    this.#stopped = false
    this.#signedOut = false
    await this.#start()
  }

  async #start(): Promise<void> {
    const mine = ++this.#starts
    let session: SyncSession
    try {
      session = await this.#open()
    } catch (error) {
      if (!isEntiDBError(error) || error.retry !== 'later') throw error
      if (mine === this.#starts) this.#startLater(error)
      return
    }
    if (mine === this.#starts) this.#setOff(session)
  }

  #setOff({ driver, stream }: SyncSession): void {
    this.#endListening()
    this.#endListening = this.#settings.environment.onOnline(() => {
      driver.online()
      stream?.online()
    })
    driver.start()
    stream?.start()
  }

  #startLater(error: EntiDBError): void {
    // It is this one's turn still.
    this.#endClaim = this.#engine.claim(() => false)
    const before = this.#board.status.lastError
    const phase = this.#startAgain.after(error, () => this.#startSilently())
    this.#board.set({ phase, lastError: error })
    if (before?.code !== error.code) this.#emitter.emit('error', error)
  }

  /** Nobody waits for it. What was no failure that passes may be over, too, when it is tried again. */
  #startSilently(): void {
    this.#startAgain.cancel()
    this.#start().catch((error) => {
      if (!isEntiDBError(error)) throw error
      this.#startLater(error)
    })
  }

  /** Ends everything that runs. What is not synced stays in the database for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#starts += 1
    this.#startAgain.reset()
    this.#endListening()
    this.#endListening = () => {}
    this.#ending = this.#opening
    this.#closing = this.#close(this.#closing, this.#opening)
    await this.#closing
  }

  /**
   * One full cycle now, whether started or not: pulls everything, pushes everything. Resets a backoff, and tries a
   * token again that was refused.
   *
   * Errors: those of the machine's steps in `docs/sync-client.md`; `retry` says whether trying again
   * helps. `sync_stopped` after `stop()`.
   */
  async sync(): Promise<SyncResult> {
    this.#assertNotStopped()
    const { driver, store, transport } = await this.#open()
    transport.forgiveToken()
    const totals = await driver.run()
    return { ...totals, cursor: store.state.cursor }
  }

  /**
   * Waits for the final fate of a local transaction: of one that wrote several entities, `receipt` is its `tx.receipt`.
   * A conflict that nobody settles keeps it waiting.
   *
   * Errors: the signal's reason; `sync_stopped` when sync stops before; `nothing_kept` for one so old that the ledger
   * has forgotten what became of it, or that this database does not have.
   */
  async settled(
    receipt: { readonly opIds: readonly number[] },
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SettledFate> {
    this.#assertNotStopped()
    const { store } = await this.#open()
    // A transaction is named by its last operation; one that wrote nothing is committed.
    const key = receipt.opIds.reduce((a, b) => Math.max(a, b), 0)
    if (!Number.isSafeInteger(key)) throw new TypeError('opIds are those of a receipt')
    return this.#fates.wait(store, key, options.signal)
  }

  /** Of one entity, at this moment. `synced` before the first `start` or `sync`. */
  stateOf(collection: string, entityId: string): EntitySyncState {
    const store = this.#session?.store
    return store === undefined ? 'synced' : entityState(store, { collection, entityId })
  }

  /**
   * Why an entity is what it is here: what is shown, who made the revision it stands on, what this device did to
   * it and what became of that. Asks the server who made the revision; without an answer the rest is told all the same.
   * Errors: `sync_stopped` while stopped.
   */
  async explain(
    collection: string,
    entityId: string,
    { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<SyncExplanation> {
    this.#assertNotStopped()
    return explainEntity(await this.#open(), { collection, entityId }, signal)
  }

  /** What sync did lately and where it stands, for a bug report: numbers, codes and times, and nothing else. */
  trace(): TraceReport {
    return traceReport(this.status, this.#session?.store, this.#trace.entries)
  }

  /**
   * Proves that this device holds exactly what the server has: syncs, reads everything that is stored, and
   * compares digests. What differs is named, and with `repair` gets the server's state. Nothing is compared
   * while edits are not settled; the answer says so.
   *
   * Errors: those of `sync`; the signal's reason.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyResult> {
    this.#assertNotStopped()
    const { driver, context } = await this.#open()
    return driver.exclusively((turn) => verify(context, turn, options))
  }

  /**
   * Drops the local copies of entities, given by id or a list of ids, without deleting them anywhere. Each
   * comes back when the server has a newer state of it, or by `fetch`. In bounded transactions: a crash, or a
   * refusal because of an edit made meanwhile, leaves a longer list evicted in part.
   *
   * Errors: `entity_unsynced` while an edit of one of them is pending, in flight or held (`details.ids`):
   * nothing is evicted then, unless `unsynced` is `skip`. `unknown_collection`. `sync_stopped` after `stop()`.
   */
  async evict(
    collection: string,
    ids: string | readonly string[],
    options: EvictOptions = {},
  ): Promise<EvictResult> {
    this.#assertNotStopped()
    const { store } = await this.#open()
    return evict(store, collection, typeof ids === 'string' ? [ids] : ids, options)
  }

  /**
   * Brings evicted entities back. Pulls their collection from the beginning, so ask for many at once. Resolves
   * to the ids that could not be brought because the server changed them all the while; what it deleted, or
   * was not evicted, is left as it is.
   *
   * Errors: those of `sync`; `unknown_collection`.
   */
  async fetch(
    collection: string,
    ids: string | readonly string[],
  ): Promise<{ readonly missing: readonly string[] }> {
    this.#assertNotStopped()
    const { driver, context } = await this.#open()
    const wanted = typeof ids === 'string' ? [ids] : ids
    const missing = await driver.exclusively((turn) =>
      fetchEvicted(context, turn, collection, wanted),
    )
    return { missing }
  }

  /**
   * Goes on under another deviceId, by default a random one: the way out of `device_conflict`. Edits that
   * are not synced yet get new opIds. The name lasts: a `deviceId` that is configured counts only when it is another
   * than before. Error: TypeError for what is no deviceId.
   */
  async renameDevice(
    deviceId: string = this.#settings.environment.randomId(),
  ): Promise<{ readonly deviceId: string }> {
    assertDeviceId(deviceId)
    const { store, driver } = await this.#open()
    const { deviceId: configured = null } = this.#settings
    await store.transaction(async (tx) => renumberForDevice(tx, deviceId, configured))
    this.#emitter.emit('device', { reason: 'renamed', deviceId })
    driver.online()
    return { deviceId }
  }

  /**
   * Stops automatic sync, and reports what is not synced: the beginning of signing out. Nothing is removed before
   * `finish` of the answer, and nothing is ever deleted on the server.
   *
   * Errors: `change_feed_off`.
   */
  async signOut(): Promise<SignOut> {
    const parts: SignOutParts = {
      session: () => {
        this.#assertNotStopped()
        return this.#open()
      },
      pause: () => this.#pause(),
      stop: () => this.#leave(),
      newDeviceId: this.#settings.environment.randomId,
    }
    await this.#pause()
    const { store } = await this.#open()
    await offerAll(store)
    return new SignOut(parts, await reportUnsynced(store))
  }

  /**
   * Makes edits that `SignOut.export` wrote local edits again, on the states that they were made on: what the server
   * has changed since meets them as a conflict. Each group is one transaction. Sync first, so that what is on the
   * server already is known.
   *
   * Errors: `invalid_input` for what is no export of this database, `invalid_cbor`; what `put` throws; `migration_failed`. What
   * came before stays imported; importing it again does nothing.
   */
  async importUnsynced(
    records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<ImportedEdits> {
    this.#assertNotStopped()
    const { store, driver } = await this.#open()
    const imported = await importUnsynced(store, records)
    driver.wake()
    return imported
  }

  /** What is known of the database is about to be removed. */
  async #leave(): Promise<void> {
    this.#signedOut = true
    await this.stop()
    this.#session = undefined
    this.#board.set({ cursor: 0, pending: 0, held: 0, lastSyncAt: null })
  }

  async #pause(): Promise<void> {
    this.#assertNotStopped()
    const { isWaiting } = this.#startAgain
    const mine = ++this.#starts
    this.#startAgain.reset()
    const { driver, stream } = await this.#open().catch((error) => {
      const goesOn = isWaiting && mine === this.#starts
      if (goesOn && isEntiDBError(error)) this.#startLater(error)
      throw error
    })
    // Started meanwhile: that is the last word.
    if (mine !== this.#starts) return
    this.#endListening()
    this.#endListening = () => {}
    await Promise.all([driver.pause(), stream?.stop()])
  }

  #assertNotStopped(): void {
    if (this.#stopped) throw stopped()
  }

  #open(): Promise<SyncSession> {
    if (this.#signedOut) return Promise.reject(stopped())
    const isUsable = this.#stopped || this.#opening !== this.#ending
    if (this.#opening !== undefined && isUsable) return this.#opening
    const opening = this.#openSession(this.#closing)
    this.#opening = opening
    opening.then(
      () => {
        if (this.#startAgain.isWaiting) this.#startSilently()
      },
      () => {
        if (this.#opening === opening) this.#opening = undefined
      },
    )
    return opening
  }

  async #close(before: Promise<void>, opening: Promise<SyncSession> | undefined): Promise<void> {
    await before
    const session = await opening?.catch(() => undefined)
    await Promise.all([session?.driver.stop(), session?.stream?.stop()])
    this.#endFollowing?.()
    this.#endFollowing = undefined
    this.#fates.stop()
    // Another client may work on the database from now on: the next start reads everything anew.
    if (this.#opening === opening) this.#opening = undefined
    if (this.#ending === opening) this.#ending = undefined
    this.#endClaim()
    this.#endClaim = () => {}
    this.#board.set({ phase: 'stopped' })
  }

  /** True: another client may have the database. Whoever only looks, after a stop, is not in its way. */
  #letGo(session: SyncSession | undefined): boolean {
    const onlyLooks = this.#stopped && this.#ending === undefined
    if (!onlyLooks || session === undefined) return false
    session.store.retire()
    this.#endFollowing?.()
    this.#endFollowing = undefined
    this.#endClaim = () => {}
    this.#opening = undefined
    return true
  }

  async #openSession(before: Promise<void>): Promise<SyncSession> {
    await before
    this.#endClaim()
    this.#endClaim = () => {}
    let session: SyncSession | undefined
    const endClaim = this.#engine.claim(() => this.#letGo(session))
    try {
      const opened = await openSession({
        engine: this.#engine,
        settings: this.#settings,
        emitter: this.#emitter,
        board: this.#board,
        fates: this.#fates,
        changes: this.#changes,
        trace: this.#trace,
      })
      this.#endFollowing = this.#engine.onCommit((commit) => this.#committed(opened, commit))
      await opened.store.startHearing()
      session = opened
      this.#endClaim = endClaim
      this.#session = opened
      // For somebody who only looks, after a stop.
      if (this.#stopped) this.#board.set({ phase: 'stopped' })
      return opened
    } catch (error) {
      this.#endFollowing?.()
      this.#endFollowing = undefined
      if (this.#startAgain.isWaiting) this.#endClaim = endClaim
      else endClaim()
      throw error
    }
  }

  #committed({ store, driver }: SyncSession, commit: Commit): void {
    store.hear(commit)
    const wake = (): void => {
      if (commit.origin !== SYNC_ORIGIN) driver.wake()
    }
    // A database that is closed or failed says so to whoever uses it.
    store.followFeed().then(wake, () => {})
  }
}

function stopped(): EntiDBError {
  return new EntiDBError('sync_stopped', 'Sync is stopped: call start() first')
}
