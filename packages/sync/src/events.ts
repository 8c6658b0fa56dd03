/** Events of the sync client: who may listen to what. A listener that throws harms nobody else. */
import type { EntiDBError } from '@entidb/core'
import type { OpenConflict } from './conflicts/conflict-types.ts'
import type { Rejection } from './conflicts/rejection.ts'
import { rethrowLater } from './rethrow-later.ts'
import type { SyncStatus } from './status.ts'

/** What each event tells; `docs/sync-client.md` says when. */
export interface SyncEvents {
  /** The status changed. */
  status: SyncStatus
  /** A conflict waits for the application: no resolver settled it. */
  conflict: OpenConflict
  /** The server refused a group for good; it is held. */
  rejected: Rejection
  /** Something failed. Sync goes on by itself when `retry` is `later`. */
  error: EntiDBError
  /** A re-sync began or ended. Between the two the data is not one consistent state. */
  resync: { readonly phase: 'began' | 'ended'; readonly reason: ResyncReason }
  /** The server runs under another epoch; states beyond `point` are offered to it again. */
  epoch: { readonly point: number; readonly recovered: number }
  /** The token was refused twice. Sync waits for another one. */
  unauthorized: EntiDBError
  /** This installation's identity: opIds moved on, another deviceId, or another file took it over. */
  device: { readonly reason: 'renumbered' | 'renamed' | 'superseded'; readonly deviceId: string }
  /** A transaction beyond the server's limits is sent in several parts, not atomically. */
  split: { readonly transactionId: number }
  /** Pulled entities that break a unique index of this device; they are stored all the same. */
  violation: {
    readonly collection: string
    readonly index: string
    readonly ids: readonly string[]
  }
}

/** Why everything is received again. `epoch`: the server was restored, and what it has again is not beyond the cursor. */
export type ResyncReason = 'cursor_expired' | 'scope' | 'known_revisions' | 'evicted' | 'epoch'

/** The events there are. */
export type SyncEventName = keyof SyncEvents

/** A record, so that none is forgotten. */
const EVENT_NAMES: Readonly<Record<SyncEventName, true>> = {
  status: true,
  conflict: true,
  rejected: true,
  error: true,
  resync: true,
  epoch: true,
  unauthorized: true,
  device: true,
  split: true,
  violation: true,
}

export class SyncEmitter {
  readonly #listeners = new Map<SyncEventName, Set<(payload: never) => void>>()

  /** Returns a function that ends it. @throws TypeError for an event that there is not. */
  on<Name extends SyncEventName>(
    name: Name,
    listener: (payload: SyncEvents[Name]) => void,
  ): () => void {
    if (!Object.hasOwn(EVENT_NAMES, name)) throw new TypeError(`There is no event ${String(name)}`)
    if (typeof listener !== 'function') throw new TypeError('A listener is a function')
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  emit<Name extends SyncEventName>(name: Name, payload: SyncEvents[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        // The set under a name only ever holds listeners of that name's payload.
        ;(listener as (payload: SyncEvents[Name]) => void)(payload)
      } catch (error) {
        rethrowLater(error)
      }
    }
  }
}
