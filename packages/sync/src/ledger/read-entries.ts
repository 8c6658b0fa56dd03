/** The entries of the ledger, put together from where each kind of fate is known. */
import { entityRef } from '../entity-ref.ts'
import { namesOf } from '../push/hold-transactions.ts'
import {
  COMMITTED_COLLECTION,
  type CommittedRow,
  type CommittedTransaction,
  type FateRow,
  type WrittenEntities,
} from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { rowsOf } from './bounded-rows.ts'
import { joinParts } from './committed-part.ts'
import type { LedgerEntry, LedgerFate } from './ledger-types.ts'
import { writtenEntities } from './written-entities.ts'

/** Every transaction that is known of, by its key. */
export async function readEntries(
  tx: SyncTransaction,
  { edits, keptKeys }: Pick<SyncStore, 'edits' | 'keptKeys'>,
): Promise<ReadonlyMap<number, LedgerEntry>> {
  const kept = await keptKeys.read(tx)
  const entries = new Map<number, LedgerEntry>()
  const add = (key: number, entry: Omit<LedgerEntry, 'id' | 'hasKept'>): void => {
    entries.set(key, { id: String(key), ...entry, hasKept: kept.has(key) })
  }
  for await (const { atMs, transactions } of rowsOf<CommittedRow>(tx, COMMITTED_COLLECTION)) {
    for (const transaction of transactions) add(transaction.key, committedEntry(transaction, atMs))
  }
  const openFates = new OpenFates(tx)
  for (const row of await tx.fates()) add(Number(row.id), fateEntry(openFates, row))
  for (const { key, entities } of edits.transactions()) {
    add(key, waitingEntry('pending', writtenEntities(entities)))
  }
  const { frozen } = tx
  const names = frozen === null ? undefined : namesOf(frozen)
  for (const { key, localOpIds, size, before } of frozen?.transactions ?? []) {
    const keys = localOpIds.flatMap((opId) => names?.get(opId) ?? [])
    const { written } = joinParts(before, { written: { keys, size }, versions: [] })
    add(key, waitingEntry('inFlight', written))
  }
  return entries
}

type Entry = Omit<LedgerEntry, 'id' | 'hasKept'>

function committedEntry({ written, versions }: CommittedTransaction, atMs: number): Entry {
  return {
    fate: 'committed',
    how: null,
    decidedBy: null,
    isSettled: true,
    successor: null,
    at: atMs,
    ...named(written, (_, i) => versions[i] ?? null),
  }
}

function fateEntry(openFates: OpenFates, row: FateRow): Entry {
  const { group, how, decidedBy, successor, atMs, written, entityVersions } = row
  return {
    fate: fateOf(openFates, row),
    how,
    decidedBy,
    isSettled: group === null,
    successor: successor === null ? null : String(successor),
    at: atMs,
    ...named(written, (key) => entityVersions?.[key] ?? null),
  }
}

function fateOf(openFates: OpenFates, { group, fate }: FateRow): LedgerFate {
  if (fate === 'released') return 'superseded'
  return fate === 'open' ? openFates.of(group) : fate
}

/** Of what is held with others: by a conflict, or else by a rejection. Many transactions may wait for one large group. */
class OpenFates {
  readonly #tx: SyncTransaction
  readonly #byGroup = new Map<number, LedgerFate>()

  constructor(tx: SyncTransaction) {
    this.#tx = tx
  }

  of(group: number | null): LedgerFate {
    if (group === null) return 'pending'
    const fate = this.#byGroup.get(group) ?? this.#read(group)
    this.#byGroup.set(group, fate)
    return fate
  }

  #read(group: number): LedgerFate {
    const notes = this.#tx.notesOfGroup(group)
    if (notes.some(({ conflict }) => conflict !== null)) return 'conflict'
    return notes.some(({ rejection }) => rejection !== null) ? 'rejected' : 'pending'
  }
}

function waitingEntry(fate: LedgerFate, written: WrittenEntities): Entry {
  const entities = named(written, () => null)
  const open = { how: null, decidedBy: null, isSettled: false, successor: null, at: null }
  return { fate, ...open, ...entities }
}

function named(
  { keys, size }: WrittenEntities,
  versionOf: (key: string, index: number) => number | null,
): Pick<LedgerEntry, 'entities' | 'entityCount'> {
  const entities = keys.map((key, i) => ({ ...entityRef(key), entityVersion: versionOf(key, i) }))
  return { entities, entityCount: size }
}
