/**
 * One write transaction of sync: entities through `replica`, and sync's own rows, which are read from
 * memory and written at its end. Nothing in memory changes unless it commits.
 */
import type { ReplicaTransaction } from '@entidb/core/replication'
import type { SyncedEntity } from '../conflicts/conflict-types.ts'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import type { LearntVersion } from '../fates/learnt-versions.ts'
import type { LedgerLimits } from '../ledger/ledger-limits.ts'
import type { Engine, EngineTransaction, SystemRows } from './engine.ts'
import { bytesOf, storeNotes } from './note-rows.ts'
import { Notes, type ReadonlyNotes } from './notes.ts'
import {
  emptyNote,
  FATES_COLLECTION,
  type FateRow,
  FROZEN_COLLECTION,
  type FrozenRow,
  type NoteRow,
  type RemoteState,
  SEEN_COLLECTION,
  type SeenRow,
  type SentOp,
  STATE_COLLECTION,
  type StateRow,
} from './rows.ts'

/** What sync knows: equal to its rows in the database. */
export interface SyncMemory {
  state: StateRow
  frozen: FrozenRow | null
  readonly notes: Notes
  /** Groups that fates wait for. */
  readonly fateGroups: Set<number>
}

/** Decodes a state of an entity; null without bytes. */
export type EntityOf = (
  ref: EntityRef,
  state: Pick<RemoteState, 'bytes' | 'schemaVersion'>,
) => SyncedEntity | null

/** What became of local transactions that were decided together, by their last opIds. */
interface LearntOf {
  readonly keys: readonly number[]
  readonly versions: readonly LearntVersion[]
}

export interface TransactionSurroundings {
  readonly engine: Pick<Engine, 'entityOf'>
  readonly nowMs: number
  readonly ledger: LedgerLimits
}

export class SyncTransaction {
  readonly replica: ReplicaTransaction
  /** Wall clock at its beginning, for people only. */
  readonly nowMs: number
  readonly ledgerLimits: LedgerLimits
  /** The stored entity of a state, in the version of its shape that the application reads. Error: `migration_failed`. */
  readonly entityOf: EntityOf
  readonly #tx: EngineTransaction
  readonly #memory: SyncMemory
  readonly #notes = new Notes()
  readonly #fateGroups = new Map<number, boolean>()
  readonly #learntVersions: LearntOf[] = []
  #state: StateRow
  #frozen: FrozenRow | null

  constructor(
    tx: EngineTransaction,
    memory: SyncMemory,
    { engine, nowMs, ledger }: TransactionSurroundings,
  ) {
    this.replica = tx.replica
    this.nowMs = nowMs
    this.ledgerLimits = ledger
    this.entityOf = (ref, state) => engine.entityOf(ref, state) as SyncedEntity | null
    this.#tx = tx
    this.#memory = memory
    this.#state = memory.state
    this.#frozen = memory.frozen
  }

  /** Rows that are not kept in memory. */
  get system(): SystemRows {
    return this.#tx.system
  }

  get state(): StateRow {
    return this.#state
  }

  setState(change: Partial<Omit<StateRow, 'id'>>): void {
    this.#state = { ...this.#state, ...change }
  }

  get frozen(): FrozenRow | null {
    return this.#frozen
  }

  setFrozen(frozen: FrozenRow | null): void {
    this.#frozen = frozen
  }

  /** False: there is nothing to find. */
  get hasNotes(): boolean {
    return this.#notes.size > 0 || this.#memory.notes.size > 0
  }

  findNote(key: string): NoteRow | undefined {
    return this.#notes.get(key) ?? this.#memory.notes.get(key)
  }

  /** The note of an entity, an empty one when there is none. */
  note(ref: EntityRef): NoteRow {
    const key = entityKey(ref)
    return this.findNote(key) ?? emptyNote(ref, key)
  }

  changeNote(ref: EntityRef, change: Partial<Omit<NoteRow, 'id' | keyof EntityRef>>): NoteRow {
    const note = { ...this.note(ref), ...change }
    this.#notes.set(note)
    return note
  }

  /** The remote side of its conflict; null without a conflict. */
  async remoteOf({ id, conflict }: NoteRow): Promise<RemoteState | null> {
    if (conflict === null) return null
    const { bytes, ...remote } = conflict.remote
    return { ...remote, bytes: await bytesOf(this.#tx.system, id, 'remote', bytes) }
  }

  async sentOf({ id, sent }: NoteRow): Promise<SentOp | null> {
    if (sent === null) return null
    return { ...sent, bytes: await bytesOf(this.#tx.system, id, 'sent', sent.bytes) }
  }

  /** Changed notes, emptied ones included. */
  get changedNotes(): ReadonlyNotes {
    return this.#notes
  }

  notesOfGroup(group: number): readonly NoteRow[] {
    const members = this.#notesAt((notes) => notes.keysOfGroup(group))
    return members.filter((note) => note.group === group)
  }

  /** At least how many there are: what changed may be counted twice, or be in another group by now. */
  groupSizeMax(group: number): number {
    return this.#memory.notes.groupSize(group) + this.#notes.groupSize(group)
  }

  /** Of those the rejected ones, found without a look at the others: each transaction that joins a group asks. */
  rejectedOfGroup(group: number): readonly NoteRow[] {
    return this.#notesAt((notes) => notes.keysOfRejected(group)).filter(
      (note) => note.group === group && note.rejection !== null,
    )
  }

  notesThatSkip(): readonly NoteRow[] {
    return this.#notesAt((notes) => notes.keysThatSkip()).filter(
      ({ skipThrough }) => skipThrough > 0,
    )
  }

  /** Every note, as this transaction sees it. */
  allNotes(): readonly NoteRow[] {
    const unchanged = [...this.#memory.notes.values()].filter(({ id }) => !this.#notes.has(id))
    return [...unchanged, ...this.#notes.values()]
  }

  newGroup(): number {
    const group = this.#state.groupLast + 1
    this.setState({ groupLast: group })
    return group
  }

  async findFate(key: number): Promise<FateRow | undefined> {
    // System rows are read back as they were written by `putFate`.
    return (await this.#tx.system.get(FATES_COLLECTION, String(key))) as FateRow | undefined
  }

  putFate(key: number, fate: Omit<FateRow, 'id' | 'atMs'>): Promise<void> {
    if (fate.group !== null) this.#fateGroups.set(fate.group, true)
    const row: FateRow = { ...fate, id: String(key), atMs: this.nowMs }
    return this.#tx.system.put(FATES_COLLECTION, row)
  }

  /** No fate waits for `group` any more. */
  closeGroup(group: number): void {
    this.#fateGroups.set(group, false)
  }

  /** Groups that fates began (true) or ceased (false) to wait for. */
  get changedFateGroups(): ReadonlyMap<number, boolean> {
    return this.#fateGroups
  }

  /** The revisions that became of transactions that are decided together. */
  learnVersions(keys: readonly number[], versions: readonly LearntVersion[]): void {
    this.#learntVersions.push({ keys, versions })
  }

  get learntVersions(): readonly LearntOf[] {
    return this.#learntVersions
  }

  deleteFate(fate: FateRow): Promise<void> {
    return this.#tx.system.delete(FATES_COLLECTION, fate.id)
  }

  async fatesOfGroup(group: number): Promise<readonly FateRow[]> {
    if (!(this.#fateGroups.get(group) ?? this.#memory.fateGroups.has(group))) return []
    // As `findFate`.
    return (await this.#tx.system.ofGroup(FATES_COLLECTION, group)) as readonly FateRow[]
  }

  async fates(): Promise<readonly FateRow[]> {
    // As `findFate`.
    return (await this.#tx.system.all(FATES_COLLECTION)) as readonly FateRow[]
  }

  async markSeen(key: string): Promise<void> {
    const row: SeenRow = { id: key, generation: this.#state.generation }
    await this.#tx.system.put(SEEN_COLLECTION, row)
  }

  async wasSeen(key: string): Promise<boolean> {
    // As `findFate`.
    const row = (await this.#tx.system.get(SEEN_COLLECTION, key)) as SeenRow | undefined
    return row?.generation === this.#state.generation
  }

  /** Forgets some of the marks, at most `rowsMax`. False when there are none. */
  async forgetSeen(rowsMax: number): Promise<boolean> {
    const { system } = this.#tx
    // As `findFate`.
    const rows = (await system.page(SEEN_COLLECTION, { limit: rowsMax })) as readonly SeenRow[]
    if (rows.length > 0)
      await system.deleteAll(
        SEEN_COLLECTION,
        rows.map(({ id }) => id),
      )
    return rows.length > 0
  }

  /** A local edit of the application's kind. */
  put(collection: string, entity: { readonly id: string }): Promise<void> {
    return this.#tx.put(collection, entity)
  }

  /** As `put` of each, in turn. */
  putAll(collection: string, entities: readonly { readonly id: string }[]): Promise<void> {
    return this.#tx.putAll(collection, entities)
  }

  /** As `put`. */
  delete(collection: string, entityId: string): Promise<void> {
    return this.#tx.delete(collection, entityId)
  }

  /** Writes the rows that changed; the last thing before the commit. */
  async flush(): Promise<void> {
    const { system } = this.#tx
    const isStateNew = this.#state !== this.#memory.state
    const isFrozenNew = this.#frozen !== this.#memory.frozen
    if (isStateNew) await system.put(STATE_COLLECTION, this.#state)
    if (isFrozenNew && this.#frozen === null) await system.delete(FROZEN_COLLECTION, 'batch')
    if (isFrozenNew && this.#frozen !== null) await system.put(FROZEN_COLLECTION, this.#frozen)
    if (isStateNew || isFrozenNew) await this.#acknowledgeFeed()
    await storeNotes(system, this.#notes.values(), this.#memory.notes)
  }

  /** The bytes of a frozen batch live in the feed until it is decided. */
  async #acknowledgeFeed(): Promise<void> {
    await this.#tx.acknowledgeFeed(this.#frozen?.feedAfter ?? this.#state.feedPosition)
  }

  /** As this transaction sees them. */
  #notesAt(keysOf: (notes: ReadonlyNotes) => Iterable<string>): readonly NoteRow[] {
    const keys = new Set([...keysOf(this.#memory.notes), ...keysOf(this.#notes)])
    return [...keys].flatMap((key) => this.findNote(key) ?? [])
  }
}
