/**
 * Compares an index with the entities, both ways, in bounded memory. The entries that the entities ask for
 * are looked up in sorted batches. They are all different, so when all are there and the index has as many
 * entries as were looked up, it has no others; only if it has more, every one of them is looked at.
 */
import { bytesEqual } from '../store/bytes.ts'
import { pause } from '../store/scheduler.ts'
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { listOf } from './entry-keys.ts'
import { type IndexPlan, idKeyOfEntry, indexEntryValue } from './index-plan.ts'
import { KeyList } from './key-list.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { readIndexedForm, readStoredEntity, type StoredEntity } from './verify-record.ts'
import { type StoredEntry, scanTable, survives, type VerifyContext } from './verify-scan.ts'

const BATCH_ENTRIES_MAX = 10_000
const LOOKUPS_PER_STEP = 512
const BATCH_BYTES_MAX = 4 * 1024 * 1024

export class IndexCheck {
  readonly #context: VerifyContext
  readonly #state: CollectionState
  readonly #plan: IndexPlan
  /** Its place among the indexes of the collection. */
  readonly #position: number
  #keys = new KeyList()
  #idBytes: number[] = []
  #bytes = 0
  #found = 0
  #isReadable = true

  constructor(context: VerifyContext, state: CollectionState, plan: IndexPlan) {
    this.#context = context
    this.#state = state
    this.#plan = plan
    this.#position = state.indexes.indexOf(plan)
  }

  /** Entries of the index that were compared. */
  get checked(): number {
    return this.#found
  }

  /** The entity of `idKey` has the entry `key`. A promise is answered when a batch is full. */
  expect(key: Uint8Array, idKey: Uint8Array): Promise<void> | undefined {
    this.#keys.add(key)
    this.#idBytes.push(idKey.length)
    this.#bytes += key.length
    const isFull = this.#keys.size >= BATCH_ENTRIES_MAX || this.#bytes >= BATCH_BYTES_MAX
    return isFull ? this.#lookUp() : undefined
  }

  /** `isComplete`: every entity was read. */
  async finish(isComplete: boolean): Promise<void> {
    await this.#lookUp()
    const { table } = this.#plan
    const count = await this.#context.view.count(table)
    if (!isComplete || !this.#isReadable || count === this.#found) return
    await scanTable(this.#context, table, async (entries) => {
      for (const entry of entries) await this.#assertAskedFor(entry)
    })
  }

  async #lookUp(): Promise<void> {
    const keys = this.#keys
    const idBytes = this.#idBytes
    this.#keys = new KeyList()
    this.#idBytes = []
    this.#bytes = 0
    if (!this.#isReadable) return
    const { view } = this.#context
    const { table } = this.#plan
    this.#isReadable = await survives(this.#context, table, async () => {
      let lookups = 0
      for (const position of keys.sortedPositions()) {
        if (++lookups % LOOKUPS_PER_STEP === 0) await pause(this.#context.scheduler)
        const key = keys.at(position)
        const answer = view.get(table, key)
        const value = answer instanceof Promise ? await answer : answer
        const idKey = key.subarray(key.length - (idBytes[position] ?? 0))
        if (value === undefined) {
          this.#report('index_missing', idKey, 'has no entry for')
          continue
        }
        this.#found++
        if (!bytesEqual(value, indexEntryValue(idKey))) {
          this.#report('index_wrong', idKey, 'has an entry of a wrong form for')
        }
      }
    })
    this.#context.advance(keys.size)
  }

  async #assertAskedFor({ key, value }: StoredEntry): Promise<void> {
    const idKey = idKeyOf(key, value)
    if (idKey === undefined) {
      const message = `the index ${this.#plan.name} has an entry that names no entity`
      const collection = this.#state.name
      this.#context.problems.add({ code: 'index_extra', collection, message })
      return
    }
    const record = await this.#context.view.get(this.#state.recordTable, idKey)
    const stored = record === undefined ? undefined : readStoredEntity(idKey, record)
    if (typeof stored === 'string') return
    if (stored !== undefined && (await this.#asksFor(key, idKey, stored))) return
    this.#report('index_extra', idKey, 'has an entry that is not of the present state of')
  }

  async #asksFor(key: Uint8Array, idKey: Uint8Array, stored: StoredEntity): Promise<boolean> {
    const form = await readIndexedForm(this.#context.view, this.#state, idKey, stored)
    if (form.isUnknown) return true
    const asked = indexKeysOf(this.#state, idKey, form.entity)[this.#position]
    return listOf(asked).some((one) => bytesEqual(one, key))
  }

  #report(code: 'index_missing' | 'index_extra' | 'index_wrong', idKey: Uint8Array, what: string) {
    const { name: collection } = this.#state
    const id = idOfKey(idKey)
    const message = `the index ${this.#plan.name} ${what} ${id}`
    this.#context.problems.add({ code, collection, id, message })
  }
}

/** Undefined for an entry that cannot have been written for an entity. */
function idKeyOf(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
  try {
    const idKey = idKeyOfEntry(key, value)
    return idKey.length === 0 || !bytesEqual(value, indexEntryValue(idKey)) ? undefined : idKey
  } catch {
    // The value is no number.
    return undefined
  }
}
