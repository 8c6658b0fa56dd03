/** `sync.signOut()`: what is not synced yet, what can be done about it, and the end of it. */
import { EntiDBError } from '@entidb/core'
import type { SyncSession } from '../sync-session.ts'
import { exportUnsynced } from './export-unsynced.ts'
import { finishSignOut, markSignOut, type SignedOut } from './remove-all.ts'
import { hasUnsynced, lastUnsyncedOpId, reportUnsynced, type UnsyncedReport } from './unsynced.ts'

/** What a sign-out needs of the client. */
export interface SignOutParts {
  /** Error: `sync_stopped`. */
  readonly session: () => Promise<SyncSession>
  /** Ends automatic sync. */
  readonly pause: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly newDeviceId: () => string
}

/**
 * A sign-out under way: automatic sync has ended, nothing is removed yet. Decide about `unsynced`, then
 * `finish`; or go on as before with `sync.start()`.
 */
export class SignOut {
  readonly #parts: SignOutParts
  #unsynced: UnsyncedReport
  /** Edits up to here may be lost; undefined: nobody said so. */
  #discardedThrough: number | undefined

  /** @internal */
  constructor(parts: SignOutParts, unsynced: UnsyncedReport) {
    this.#parts = parts
    this.#unsynced = unsynced
  }

  /** What was not synced when `signOut`, `push` or `discard` looked last. */
  get unsynced(): UnsyncedReport {
    return this.#unsynced
  }

  /** One full cycle. Resolves to what is left. Errors: those of `sync.sync()`. */
  async push(): Promise<UnsyncedReport> {
    this.#discardedThrough = undefined
    const { driver, store } = await this.#parts.session()
    await driver.run()
    this.#unsynced = await reportUnsynced(store)
    return this.#unsynced
  }

  /**
   * The unsynced edits, to be stored elsewhere: a header, then a record for each entity, each of them one CBOR
   * item; written one after the other they are a file. `decodeUnsynced` reads them. Nothing is marked as
   * saved: call `discard` when they are.
   */
  async *export(): AsyncGenerator<Uint8Array> {
    const { store } = await this.#parts.session()
    yield* exportUnsynced(store)
  }

  /** Lets `finish` lose the edits made so far, those that the answer names. Removes nothing by itself. */
  async discard(): Promise<UnsyncedReport> {
    const { store } = await this.#parts.session()
    await store.followFeed()
    // What comes while the report is put together may not be in it.
    const { readThrough } = store.edits
    this.#unsynced = await reportUnsynced(store)
    this.#discardedThrough = readThrough
    return this.#unsynced
  }

  /**
   * Removes all entities and everything that sync knows from this device, never from the server, and stops. The
   * next `start` begins as on a new device, under a new deviceId. In bounded transactions: after a crash,
   * the next client that opens the database finishes it first.
   *
   * Errors: `unsynced_edits` while there are unsynced edits that `discard` did not cover (`details`: counts);
   * then nothing is removed.
   */
  async finish(): Promise<SignedOut> {
    await this.#parts.pause()
    const { store } = await this.#parts.session()
    await store.followFeed()
    const isMarked = await store.transaction(async (tx) => {
      const isCovered = (await lastUnsyncedOpId(tx, store)) <= (this.#discardedThrough ?? -1)
      if (hasUnsynced(store) && !isCovered) return false
      await markSignOut(tx, store.edits.readThrough)
      return true
    })
    if (!isMarked) {
      this.#unsynced = await reportUnsynced(store)
      throw unsyncedEdits(this.#unsynced)
    }
    await this.#parts.stop()
    return finishSignOut(store.engine, this.#parts.newDeviceId())
  }
}

function unsyncedEdits({ pending, inFlight, held, rejected }: UnsyncedReport): EntiDBError {
  return new EntiDBError(
    'unsynced_edits',
    'Edits are not on the server: push them, export them, or discard them before signing out',
    { details: { pending, inFlight, held, rejected } },
  )
}
