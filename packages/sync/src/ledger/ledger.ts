/** `sync.ledger`: what became of every local transaction, and the values that lost a conflict. */
import { assertOptions, EntiDBError } from '@entidb/core'
import { migratedOrStored } from '../conflicts/sides.ts'
import { entityKey } from '../entity-ref.ts'
import { LiveList } from '../live-list.ts'
import { putStored } from '../state/put-stored.ts'
import { KEPT_COLLECTION, type KeptRow } from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { rowsOf } from './bounded-rows.ts'
import {
  type KeptEntity,
  LEDGER_FATES,
  type LedgerEntry,
  type LedgerQuery,
} from './ledger-types.ts'
import { readEntries } from './read-entries.ts'
import { type WholeValue, wholeValues } from './record-kept.ts'

const LIMIT = 100

/** Which side's values `restore` brings back. */
export interface RestoreOptions {
  /** Default `local`: what this device's transaction had written. `remote`: what was written over with it. */
  readonly side?: 'local' | 'remote'
}

/** What became of every local transaction, durably; how much is remembered is the configuration's `ledger`. */
export class Ledger {
  readonly #store: () => Promise<SyncStore>
  readonly #onChange: (listener: () => void) => () => void
  readonly #restored: () => void

  /** @internal `restored` is called when there is something to push. */
  constructor(
    store: () => Promise<SyncStore>,
    onChange: (listener: () => void) => () => void,
    restored: () => void,
  ) {
    this.#store = store
    this.#onChange = onChange
    this.#restored = restored
  }

  /** The newest first. @throws TypeError for a fate that there is not, or a limit below 1. */
  async list(query: LedgerQuery = {}): Promise<readonly LedgerEntry[]> {
    assertQuery(query)
    const { limit = LIMIT } = query
    const store = await this.#store()
    await store.followFeed()
    const entries = await store.read((tx) => readEntries(tx, store))
    return [...entries]
      .sort(([a], [b]) => b - a)
      .map(([, entry]) => entry)
      .filter((entry) => isWanted(entry, query))
      .slice(0, limit)
  }

  /** `list`, kept right while it changes. Close it when it is not needed any more. @throws TypeError as `list`. */
  live(query: LedgerQuery = {}): LiveList<LedgerEntry> {
    assertQuery(query)
    return new LiveList(() => this.list(query), this.#onChange, identityOf)
  }

  /** The values that the conflict of a transaction left behind; empty when there are none, or none any more. */
  async kept(id: string): Promise<readonly KeptEntity[]> {
    const store = await this.#store()
    return store.read(async (tx) => {
      const rows = await keptRows(tx, id)
      return [...decisionsOf(rows)].flatMap(([first, decision]) =>
        wholeValues(decision).map((value) => keptEntity(tx, value, first)),
      )
    })
  }

  /**
   * Brings back what a transaction's conflict left behind: one new local transaction writes the kept values, of
   * one side, over the present state of their entities. They stay kept.
   *
   * Errors: `nothing_kept` when there are none, or none any more; what `put` throws, for instance for a unique index that
   * another entity has meanwhile, or `migration_failed`: then nothing is written.
   */
  async restore(
    id: string,
    { side = 'local' }: RestoreOptions = {},
  ): Promise<{ readonly opIds: readonly number[] }> {
    if (side !== 'local' && side !== 'remote') throw new TypeError("side is 'local' or 'remote'")
    const store = await this.#store()
    const opIds = await store.transaction(async (tx) => {
      const values = newestOf(wholeValues(await keptRows(tx, id)), side)
      if (values.length === 0) throw nothingKept(id, side)
      const written: number[] = []
      for (const value of values) written.push(await write(tx, value))
      // Deleting what is not there is no edit.
      return written.filter((opId) => opId > 0)
    })
    this.#restored()
    return { opIds }
  }
}

function assertQuery(query: LedgerQuery): void {
  assertOptions('A query of the ledger', query, ['fate', 'entity', 'limit'])
  const { fate = [], limit = LIMIT } = query
  if (!(limit >= 1)) throw new TypeError('limit is a number from 1')
  for (const each of [fate].flat()) {
    if (!LEDGER_FATES.includes(each)) throw new TypeError(`fate is of ${LEDGER_FATES.join(', ')}`)
  }
}

function isWanted(entry: LedgerEntry, { fate, entity }: LedgerQuery): boolean {
  if (fate !== undefined && ![fate].flat().includes(entry.fate)) return false
  if (entity === undefined) return true
  const key = entityKey(entity)
  return entry.entities.some((each) => entityKey(each) === key)
}

function identityOf({ id, fate, how, successor, at, isSettled, hasKept }: LedgerEntry): string {
  return [id, fate, how, successor, at, isSettled, hasKept].join(' ')
}

async function keptRows(tx: SyncTransaction, id: string): Promise<readonly KeptRow[]> {
  const rows: KeptRow[] = []
  for await (const row of rowsOf<KeptRow>(tx, KEPT_COLLECTION)) {
    if (row.transactions.includes(Number(id))) rows.push(row)
  }
  return rows
}

/** Rows of one decision each, with the first of them. */
function decisionsOf(rows: readonly KeptRow[]): ReadonlyMap<KeptRow, readonly KeptRow[]> {
  const decisions = new Map<KeptRow, KeptRow[]>()
  let last: KeptRow | undefined
  for (const row of rows) {
    if (last?.decision !== row.decision) last = row
    decisions.set(last, [...(decisions.get(last) ?? []), row])
  }
  return decisions
}

function keptEntity(tx: SyncTransaction, value: WholeValue, row: KeptRow): KeptEntity {
  const { collection, entityId, side, state } = value
  return {
    collection,
    entityId,
    side,
    entity: migratedOrStored(tx.entityOf, value, state),
    entityVersion: state.version,
    how: row.how,
    at: row.atMs,
  }
}

/** The last of each entity: a transaction can have met several conflicts. */
function newestOf(values: readonly WholeValue[], side: 'local' | 'remote'): readonly WholeValue[] {
  const wanted = values.filter((value) => value.side === side)
  return [...new Map(wanted.map((value) => [entityKey(value), value])).values()]
}

async function write(tx: SyncTransaction, value: WholeValue): Promise<number> {
  const { collection, entityId, state } = value
  await putStored(tx, value, state)
  return (await tx.replica.state(collection, entityId)).opId
}

function nothingKept(id: string, side: string): EntiDBError {
  return new EntiDBError('nothing_kept', `Nothing is kept of the ${side} side of ${id}`, {
    details: { id, side },
  })
}
