/** What `salvage` answers, and the gathering of it. */
import type { StoreLoss } from '../store/salvage-part.ts'
import { idOfKey } from './entity-id.ts'
import { FEED_TABLE, opIdOfKey } from './feed-row.ts'
import { roleOfTable } from './table-role.ts'

/** Fields are there where they are known. */
export interface SalvageLoss {
  /** As for `VerifyProblem`; the first for what cannot be read, the other for what was read and makes no sense. */
  readonly code: 'corrupt' | 'invalid_record'
  readonly file?: string
  /** In the file, in bytes. */
  readonly offset?: number
  readonly collection?: string
  readonly id?: string
  readonly message: string
}

/** What was saved, and what was lost. */
export interface SalvageReport {
  /** Nothing is missing. */
  readonly ok: boolean
  /** Copied, by collection; system collections (`_...`) too. */
  readonly entities: { readonly [collection: string]: number }
  /** The first ten thousand. */
  readonly losses: readonly SalvageLoss[]
  readonly lossCount: number
}

const LOSSES_MAX = 10_000

export class LossList {
  readonly #losses: SalvageLoss[] = []
  readonly #ids = new Set<string>()
  /** Collections of which it is not known what is missing. */
  readonly #incomplete = new Set<string>()
  #count = 0

  get count(): number {
    return this.#count
  }

  get first(): readonly SalvageLoss[] {
    return this.#losses
  }

  isIncomplete(collection: string | undefined): boolean {
    return collection !== undefined && this.#incomplete.has(collection)
  }

  add(loss: SalvageLoss): void {
    const { collection, id } = loss
    if (collection !== undefined && id !== undefined) {
      // One entity may be missed by several indexes.
      const name = `${collection}/${id}`
      if (this.#ids.has(name)) return
      if (this.#ids.size < LOSSES_MAX) this.#ids.add(name)
    }
    this.#count++
    if (this.#losses.length < LOSSES_MAX) this.#losses.push(loss)
  }

  /** The log has a later state of an entity that could not be read. */
  withdraw(collection: string | undefined, id: string): void {
    if (collection === undefined || !this.#ids.delete(`${collection}/${id}`)) return
    const at = this.#losses.findIndex((loss) => loss.collection === collection && loss.id === id)
    if (at >= 0) this.#losses.splice(at, 1)
    this.#count--
  }

  addOfStore(loss: StoreLoss): void {
    const { what, file, offset, table, key, message } = loss
    const { kind, collection } = table === undefined ? { kind: 'other' } : roleOfTable(table)
    if (what === 'entries' && kind === 'records' && collection !== undefined) {
      this.#incomplete.add(collection)
    }
    const place = { code: 'corrupt' as const, file, offset }
    if (table === undefined) {
      this.add({ ...place, message })
    } else if (collection === undefined || kind === 'index') {
      // Indexes are made anew: nothing of an entity is missing.
      if (kind !== 'index') this.add({ ...place, message: `${table}${rangeOf(loss)}: ${message}` })
    } else if (key === undefined || kind === 'replica') {
      const rows = kind === 'replica' ? 'replication state' : 'entities'
      this.add({ ...place, collection, message: `${rows}${rangeOf(loss)}: ${message}` })
    } else {
      this.add({ ...place, collection, id: idOfKey(key), message })
    }
  }
}

function rangeOf({ table, low, high, what }: StoreLoss): string {
  if (what !== 'entries') return ''
  const name = (key: Uint8Array): string =>
    table === FEED_TABLE && key.length === 8 ? String(opIdOfKey(key)) : JSON.stringify(idOfKey(key))
  const from = low === undefined ? ' from the first' : ` from ${name(low)}`
  return `${from}${high === undefined ? ' to the last' : ` to before ${name(high)}`}`
}
