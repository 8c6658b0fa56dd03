/**
 * Sync's rows in memory and in the database, kept equal: every change goes through `transaction`, one
 * at a time. Also follows the change feed, so that what is still to be pushed is known by name.
 */
import { assertInvariant, EntiDBError } from '@entidb/core'
import { entityKey } from '../entity-ref.ts'
import type { LearntVersions } from '../fates/learnt-versions.ts'
import { KeptKeys } from '../ledger/kept-keys.ts'
import type { LedgerLimits } from '../ledger/ledger-limits.ts'
import { LocalEdits } from '../push/local-edits.ts'
import {
  type Commit,
  type Engine,
  type EngineTransaction,
  type FeedRow,
  SYNC_ORIGIN,
} from './engine.ts'
import { isLoose } from './loose-ranges.ts'
import { loadNotes, withoutPieces } from './note-rows.ts'
import { Notes, type ReadonlyNotes } from './notes.ts'
import {
  FATES_COLLECTION,
  type FateRow,
  FROZEN_COLLECTION,
  type FrozenRow,
  isEmptyNote,
  STATE_COLLECTION,
  type StateRow,
} from './rows.ts'
import { type SyncMemory, SyncTransaction } from './sync-transaction.ts'

const READ_OPS_MAX = 2_000
const READ_BYTES_MAX = 4 * 1024 * 1024

export interface SyncStoreOptions {
  /** Called whenever what is known here may have changed. */
  readonly changed: () => void
  /** Wall clock in milliseconds, for people only. */
  readonly now: () => number
  readonly ledger: LedgerLimits
  /** Of those who wait for fates: is told what is learnt. */
  readonly versions: Pick<LearntVersions, 'remember'>
}

export class SyncStore {
  readonly engine: Engine
  readonly edits: LocalEdits = new LocalEdits()
  readonly keptKeys: KeptKeys = new KeptKeys()
  readonly #memory: SyncMemory
  readonly #inFlight = new Set<string>()
  readonly #options: SyncStoreOptions
  /** The transaction under way; its commit may be heard of before it is adopted. */
  #running: SyncTransaction | undefined
  #commits = 0
  #runningOnlyApplies = false
  /** Last opId of the last commit that was heard of. */
  #heardThrough = 0
  /** False while commits may have been missed. */
  #hearsAll = false
  #retired = false
  #last: Promise<unknown> = Promise.resolve()
  #reading: Promise<void> = Promise.resolve()

  constructor(engine: Engine, memory: SyncMemory, options: SyncStoreOptions) {
    this.engine = engine
    this.#memory = memory
    this.#options = options
    this.edits.reset(memory.state.feedPosition)
    this.#countFrozen()
  }

  get state(): StateRow {
    return this.#memory.state
  }

  get frozen(): FrozenRow | null {
    return this.#memory.frozen
  }

  get notes(): ReadonlyNotes {
    return this.#memory.notes
  }

  /** How many transactions sync has committed: what it read of entities stays true as long as this does. */
  get commits(): number {
    return this.#commits
  }

  /** Groups that fates wait for, members or not. */
  get fateGroups(): ReadonlySet<number> {
    return this.#memory.fateGroups
  }

  /** Number of held entities. */
  get heldCount(): number {
    return this.#memory.notes.heldCount
  }

  get inFlightKeys(): Iterable<string> {
    return this.#inFlight
  }

  isInFlight(key: string): boolean {
    return this.#inFlight.has(key)
  }

  /** Runs `run` in a transaction of its own, after those asked for before. All of it happens or nothing. */
  transaction<R>(run: (tx: SyncTransaction) => Promise<R>): Promise<R> {
    return this.#inTurn(() => this.#run(run, false))
  }

  /**
   * As `transaction`, for one that makes no local edits: what it writes to the change feed need not be
   * read again, and is let go of as soon as nothing before it is to be pushed.
   */
  applying<R>(run: (tx: SyncTransaction) => Promise<R>): Promise<R> {
    return this.#inTurn(() => this.#run(run, true))
  }

  /** As `transaction`, for looking only: nobody is told of a change. */
  read<R>(run: (tx: SyncTransaction) => Promise<R>): Promise<R> {
    return this.#inTurn(() =>
      this.engine.transaction((engineTx) => run(this.#transactionOn(engineTx))),
    )
  }

  /** As `read`, for what may write: all of it is undone. */
  rehearse<R>(run: (tx: SyncTransaction) => Promise<R>): Promise<R> {
    return this.#inTurn(async () => {
      let answer: { readonly value: R } | undefined
      const undone = new Error('undone')
      try {
        await this.engine.transaction(async (engineTx) => {
          answer = { value: await run(this.#transactionOn(engineTx)) }
          throw undone
        })
      } catch (error) {
        if (error !== undone) throw error
      }
      assertInvariant(answer !== undefined, 'a rehearsal ends by being undone')
      return answer.value
    })
  }

  /** A commit became durable. Commits are heard of in order. */
  hear({ lastOpId, origin }: Commit): void {
    const isOwn = origin === SYNC_ORIGIN && this.#runningOnlyApplies
    const isNext = this.#hearsAll && this.edits.readThrough >= this.#heardThrough
    if (isOwn && isNext) this.edits.skip(lastOpId)
    this.#heardThrough = lastOpId
  }

  /** Commits are heard of from now on: what was before is read from the feed. */
  async startHearing(): Promise<void> {
    await this.followFeed()
    this.#hearsAll = true
  }

  /** Reads the names of new local operations, up to the head of the feed. */
  followFeed(): Promise<void> {
    const mine = this.#reading.then(() => this.#readFeed())
    this.#reading = mine.catch(() => {})
    return mine
  }

  /** Which of the entities, given with the opId of a write, the same local transaction writes again after that. */
  async writtenAgain(
    transactionId: number,
    writes: ReadonlyMap<string, number>,
  ): Promise<ReadonlySet<string>> {
    await this.followFeed()
    return this.edits.writtenAgain(transactionId, writes)
  }

  /** Another store works on the rows from now on: no transaction begins any more. Error of those: `sync_stopped`. */
  retire(): void {
    this.#retired = true
  }

  #inTurn<R>(run: () => Promise<R>): Promise<R> {
    const mine = this.#last.then(() => {
      if (this.#retired) throw new EntiDBError('sync_stopped', 'Another client syncs this database')
      return run()
    })
    this.#last = mine.catch(() => {})
    return mine
  }

  async #run<R>(run: (tx: SyncTransaction) => Promise<R>, onlyApplies: boolean): Promise<R> {
    this.#runningOnlyApplies = onlyApplies
    try {
      const result = await this.engine.transaction(async (engineTx) => {
        const tx = this.#transactionOn(engineTx)
        this.#running = tx
        if (onlyApplies) this.#letGoOfFeed(tx)
        const value = await run(tx)
        await tx.flush()
        return value
      })
      if (this.#running !== undefined) this.#adopt(this.#running)
      return result
    } finally {
      this.#running = undefined
      this.#runningOnlyApplies = false
      this.#options.changed()
    }
  }

  #transactionOn(engineTx: EngineTransaction): SyncTransaction {
    const { now, ledger } = this.#options
    const { engine } = this
    return new SyncTransaction(engineTx, this.#memory, { engine, nowMs: now(), ledger })
  }

  /**
   * Nothing that was read of the feed is a local operation: it was all applied by sync itself. One that needs no push any
   * more is still to be taken: what became of its transaction is noted then.
   */
  #letGoOfFeed(tx: SyncTransaction): void {
    const { readThrough, lastLocalOpId } = this.edits
    const { feedPosition } = tx.state
    if (tx.frozen === null && lastLocalOpId <= feedPosition && feedPosition < readThrough) {
      tx.setState({ feedPosition: readThrough })
    }
  }

  #adopt(tx: SyncTransaction): void {
    this.#commits += 1
    this.#memory.state = tx.state
    if (this.#memory.frozen !== tx.frozen) {
      this.#memory.frozen = tx.frozen
      this.#countFrozen()
    }
    for (const [group, open] of tx.changedFateGroups) {
      if (open) this.#memory.fateGroups.add(group)
      else this.#memory.fateGroups.delete(group)
    }
    for (const { keys, versions } of tx.learntVersions) {
      this.#options.versions.remember(keys, versions)
    }
    const skipped = new Map<string, number>()
    for (const note of tx.changedNotes.values()) {
      if (isEmptyNote(note)) this.#memory.notes.delete(note.id)
      else this.#memory.notes.set(withoutPieces(note))
      if (note.skipThrough > 0) skipped.set(note.id, note.skipThrough)
    }
    this.edits.drop(skipped)
    this.edits.dropThrough(tx.state.feedPosition)
  }

  async #readFeed(): Promise<void> {
    for (;;) {
      const after = this.edits.readThrough
      // Before the rows are read: what is left out up to here is no local edit.
      const { feedAfter } = this.engine
      const rows = await this.engine.readFeed({
        after,
        opsMax: READ_OPS_MAX,
        bytesMax: READ_BYTES_MAX,
      })
      if (rows.length === 0) {
        if (this.edits.readThrough === after) this.edits.skip(feedAfter)
        return
      }
      // A reset of the edits while we waited makes these rows somebody else's.
      if (this.edits.readThrough === after) for (const row of rows) this.#note(row)
      this.#options.changed()
    }
  }

  #note(row: FeedRow): void {
    const { state, notes } = this.#memory
    const { looseRanges } = (this.#running ?? this.#memory).state
    const skipThrough = notes.get(entityKey(row))?.skipThrough ?? 0
    const standsAlone = isLoose(looseRanges, row.opId)
    if (row.origin !== 'local') this.edits.skip(row.opId)
    else if (row.opId <= Math.max(skipThrough, state.feedPosition)) {
      this.edits.addSettled(row.opId, row.transactionId, standsAlone)
    } else {
      this.edits.add(row, row.transactionId, standsAlone)
    }
  }

  #countFrozen(): void {
    this.#inFlight.clear()
    for (const op of this.#memory.frozen?.ops ?? []) this.#inFlight.add(entityKey(op))
  }
}

export type LoadedRows = Omit<SyncMemory, 'state'> & { readonly state: StateRow | undefined }

/** The rows as the last process left them; `state` is undefined when there was none. */
export function loadRows(engine: Engine): Promise<LoadedRows> {
  return engine.transaction(async ({ system }) => {
    // System rows are read back as sync wrote them.
    const state = (await system.get(STATE_COLLECTION, 'state')) as StateRow | undefined
    const frozen = (await system.get(FROZEN_COLLECTION, 'batch')) as FrozenRow | undefined
    const fates = (await system.all(FATES_COLLECTION)) as readonly FateRow[]
    return {
      state,
      frozen: frozen ?? null,
      notes: new Notes(await loadNotes(system)),
      fateGroups: new Set(fates.flatMap(({ group }) => group ?? [])),
    }
  })
}
