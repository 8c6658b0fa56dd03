/**
 * Copies every readable entity of a damaged database into a new one, with what belongs to it: replication
 * state, the change feed, system collections, what the database knows of itself. Indexes are made anew.
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { KeyValueStore, Storage } from '../store/key-value-store.ts'
import type { SalvagedPart } from '../store/salvage-part.ts'
import type { Change } from '../store/wal-payload.ts'
import { idOfKey } from './entity-id.ts'
import type { SalvageOptions } from './salvage.ts'
import { SalvagedContent } from './salvage-content.ts'
import { remakeIndexes } from './salvage-indexes.ts'
import { repairMeta } from './salvage-meta.ts'
import { isOrphan, OrphanSorter, placeOrphans } from './salvage-orphans.ts'
import { restoreFromBases } from './salvage-replicas.ts'
import { LossList, type SalvageReport } from './salvage-report.ts'
import { SalvageWriter } from './salvage-writer.ts'
import { roleOfTable } from './table-role.ts'

/** Errors and what comes of it: `salvage`. */
export async function runSalvage(
  source: Storage,
  target: Storage,
  { onProgress = () => {}, signal }: SalvageOptions,
): Promise<SalvageReport> {
  if (source.salvage === undefined) {
    throw new TypeError(`${source.description} cannot be salvaged from here`)
  }
  signal?.throwIfAborted()
  const losses = new LossList()
  const parts = source.salvage({
    // Of use only where records are missing; those come first.
    wants: (table) => isWanted(table, losses),
    onProgress: (progress) => {
      signal?.throwIfAborted()
      onProgress({ phase: 'files', ...progress })
    },
  })
  try {
    // Before anything is made: there may be nothing to salvage.
    const first = await parts.next()
    const store = await openNew(target)
    try {
      const report = await new Salvage(store, losses).run(first, parts, (done, total) => {
        signal?.throwIfAborted()
        onProgress({ phase: 'indexes', done, total })
      })
      await store.close()
      return report
    } catch (error) {
      await store.close().catch(() => {})
      throw error
    }
  } finally {
    await parts.return()
  }
}

function isWanted(table: string, losses: LossList): boolean {
  const { kind, collection } = roleOfTable(table)
  return kind !== 'index' || losses.isIncomplete(collection)
}

async function openNew(target: Storage): Promise<KeyValueStore> {
  const store = await target.open({ durability: 'relaxed' })
  const { tables, lastLsn } = store.stats()
  if (tables === 0 && lastLsn === 0) return store
  await store.close()
  throw new EntiDBError(
    'database_exists',
    `${target.description} holds a database already. Salvage into an empty place.`,
  )
}

class Salvage {
  readonly #store: KeyValueStore
  readonly #writer: SalvageWriter
  readonly #losses: LossList
  readonly #content = new SalvagedContent()
  readonly #orphans: OrphanSorter

  constructor(store: KeyValueStore, losses: LossList) {
    this.#store = store
    this.#writer = new SalvageWriter(store)
    this.#losses = losses
    this.#orphans = new OrphanSorter(this.#writer, this.#content)
  }

  async run(
    first: IteratorResult<SalvagedPart, void>,
    parts: AsyncGenerator<SalvagedPart, void, undefined>,
    onProgress: (done: number, total: number) => void,
  ): Promise<SalvageReport> {
    try {
      if (first.done !== true) await this.#take(first.value)
      for await (const part of parts) await this.#take(part)
      await this.#writer.flush()
      await placeOrphans(this.#store, this.#writer, this.#orphans.tables, this.#losses)
      await restoreFromBases(this.#store, this.#writer, this.#content, this.#losses)
      await repairMeta(this.#store, this.#content, this.#losses)
      const total = await this.#countEntities()
      let done = 0
      await remakeIndexes(this.#store, this.#writer, this.#losses, (entities) => {
        done += entities
        onProgress(done, sum(total))
      })
      const { count, first: losses } = this.#losses
      return { ok: count === 0, entities: total, losses, lossCount: count }
    } finally {
      this.#writer.abandon()
    }
  }

  async #take(part: SalvagedPart): Promise<void> {
    if (part.kind === 'loss') {
      this.#losses.addOfStore(part.loss)
      this.#content.noteLoss(part.loss)
    } else if (part.kind === 'commit') {
      for (const change of part.changes) await this.#change(change)
    } else if (isOrphan(part.table)) {
      await this.#orphans.take(part.table, part.keys, part.values)
    } else {
      for (const [i, key] of part.keys.entries()) {
        // Keys and values belong together.
        await this.#put(part.table, key, part.values[i] as Uint8Array)
      }
    }
  }

  async #change(change: Change): Promise<void> {
    if (change.kind === 'commit' || !isWanted(change.table, this.#losses)) return
    if (change.kind === 'put') await this.#put(change.table, change.key, change.value)
    else if (change.kind === 'delete') await this.#writer.delete(change.table, change.key)
    else await this.#writer.clear(change.table)
  }

  async #put(table: string, key: Uint8Array, value: Uint8Array): Promise<void> {
    const wrong = this.#content.wrongWith(table, key, value)
    const { kind, collection } = roleOfTable(table)
    const id = idOfKey(key)
    if (wrong === undefined) {
      if (kind === 'records') this.#losses.withdraw(collection, id)
      return this.#writer.put(table, key, value)
    }
    const message = kind === 'records' ? `the entity ${id} ${wrong}` : `a row of ${table}: ${wrong}`
    const where = collection === undefined ? {} : { collection, id }
    this.#losses.add({ code: 'invalid_record', ...where, message })
  }

  async #countEntities(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    const view = this.#store.snapshot()
    try {
      for (const table of await view.tables()) {
        const { kind, collection } = roleOfTable(table)
        if (kind !== 'records' || collection === undefined) continue
        counts[collection] = await view.count(table)
      }
      return counts
    } finally {
      view.release()
    }
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
