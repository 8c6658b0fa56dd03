/**
 * The fate of local transactions, for those who wait for it. Only what was not simply committed is
 * stored: a transaction that was taken, is not frozen and has no stored fate was committed.
 */
import { EntiDBError } from '@entidb/core'
import { rowsOf } from '../ledger/bounded-rows.ts'
import { COMMITTED_COLLECTION, type CommittedRow, type FateRow } from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { type EntityVersions, LearntVersions } from './learnt-versions.ts'

/** What became of a local transaction for good. */
export interface SettledFate {
  /**
   * `committed` as it was; `conflict`: another device's edit met it, `how` says how that was settled;
   * `rejected` by the server, `how` is the code, also when it was edited and sent again since.
   */
  readonly fate: 'committed' | 'conflict' | 'rejected'
  readonly how: string | null
  /**
   * Revisions by `collection/id`, of what was decided together, where this process learnt them and not too long ago
   * (the last 50,000 entities). After that, of a conflict or rejection, those of the first 100 entities.
   */
  readonly entityVersions: Readonly<Record<string, number>>
}

const NONE: EntityVersions = {}

interface Waiter {
  readonly key: number
  readonly resolve: (fate: SettledFate) => void
  readonly reject: (error: unknown) => void
}

export class FateWatch {
  readonly versions: LearntVersions = new LearntVersions()
  readonly #waiters = new Set<Waiter>()
  #looking = false
  #lookAgain = false

  wait(store: SyncStore, key: number, signal: AbortSignal | undefined): Promise<SettledFate> {
    return new Promise<SettledFate>((resolve, reject) => {
      const abort = (): void => end(() => reject(signal?.reason))
      const waiter: Waiter = {
        key,
        resolve: (fate) => end(() => resolve(fate)),
        reject: (error) => end(() => reject(error)),
      }
      const end = (finish: () => void): void => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
        finish()
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', abort)
      if (signal?.aborted) abort()
      else {
        this.look(store)
        assertIssued(store, key).catch(waiter.reject)
      }
    })
  }

  /** Something changed: looks whether a fate that is waited for is settled. */
  look(store: SyncStore): void {
    if (this.#waiters.size === 0) return
    this.#lookAgain = true
    if (!this.#looking) void this.#look(store)
  }

  stop(): void {
    const error = new EntiDBError('sync_stopped', 'Sync was stopped: the fate is still open')
    for (const waiter of [...this.#waiters]) waiter.reject(error)
  }

  async #look(store: SyncStore): Promise<void> {
    this.#looking = true
    while (this.#lookAgain) {
      this.#lookAgain = false
      const waiters = [...this.#waiters]
      try {
        const fates = await store.read((tx) =>
          Promise.allSettled(waiters.map(({ key }) => this.#fateOf(tx, key))),
        )
        waiters.forEach((waiter, index) => {
          const answer = fates[index]
          if (answer?.status === 'rejected') waiter.reject(answer.reason)
          else if (answer?.value !== undefined) waiter.resolve(answer.value)
        })
      } catch (error) {
        for (const waiter of waiters) waiter.reject(error)
      }
    }
    this.#looking = false
  }

  /** Undefined while it is open. Error: `nothing_kept`. */
  async #fateOf(tx: SyncTransaction, key: number): Promise<SettledFate | undefined> {
    let settled: FateRow | undefined
    let present = key
    for (;;) {
      const row = await tx.findFate(present)
      if (row?.fate === 'open') return undefined
      // A refusal stays what whoever waited was told, whatever was sent in its place.
      const successor = row?.fate === 'rejected' ? 0 : (row?.successor ?? 0)
      // A later transaction, however many of them there are.
      if (row === undefined || successor <= present) return this.#final(tx, present, row, settled)
      if (row.fate === 'conflict') settled = row
      present = successor
    }
  }

  async #final(
    tx: SyncTransaction,
    key: number,
    row: FateRow | undefined,
    settled: FateRow | undefined,
  ): Promise<SettledFate | undefined> {
    const learnt = this.versions.get(key)
    if (row?.fate === 'conflict' || row?.fate === 'rejected') {
      const { fate, how, entityVersions } = row
      return { fate, how, entityVersions: learnt ?? entityVersions ?? NONE }
    }
    if (row === undefined && isOpen(tx, key)) return undefined
    if (row === undefined && learnt === undefined) await assertCommitted(tx, key)
    return {
      fate: settled === undefined ? 'committed' : 'conflict',
      how: settled?.how ?? null,
      entityVersions: learnt ?? NONE,
    }
  }
}

/** Where fates were dropped, a transaction without one was not all the same committed. */
async function assertCommitted(tx: SyncTransaction, key: number): Promise<void> {
  if (key === 0 || key > (tx.state.ledger.fatesDroppedThrough ?? 0)) return
  for await (const { transactions } of rowsOf<CommittedRow>(tx, COMMITTED_COLLECTION)) {
    if (transactions.some((transaction) => transaction.key === key)) return
  }
  throw nothingKept(key, `The ledger does not remember any more what became of transaction ${key}`)
}

/** Nothing would ever become of a transaction that was lost with a restored database, or is another one's. */
async function assertIssued({ engine, state }: SyncStore, key: number): Promise<void> {
  if (key <= state.feedPosition || key <= (await engine.feedHead())) return
  throw nothingKept(key, `This database has no transaction ${key}`)
}

function nothingKept(key: number, message: string): EntiDBError {
  return new EntiDBError('nothing_kept', message, { details: { id: String(key) } })
}

/** A transaction without a stored fate is not decided yet. */
export function isOpen({ state, frozen }: SyncTransaction, key: number): boolean {
  if (key > state.feedPosition) return true
  return frozen?.transactions.some((transaction) => transaction.key === key) ?? false
}
