/** Finds the indexes in which a migration moves an entry: these have to be made anew. */
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { type IndexKeys, isSameKeys } from './entry-keys.ts'
import type { IndexPlan } from './index-plan.ts'
import { indexedForm } from './indexed-form.ts'
import type { OlderEntity } from './older-entities.ts'
import { type RawEntityReader, rawEntityReader } from './raw-entity.ts'
import { entityBytes } from './record.ts'

export class IndexMoves {
  readonly indexes: Set<IndexPlan> = new Set()
  readonly #state: CollectionState
  readonly #before: Pick<CollectionState, 'chain' | 'schemaVersion'>
  /** Entities whose entries are of their stored form. */
  readonly #unmigrated: ReadonlySet<string>
  readonly #reader: RawEntityReader

  /** `state` has the indexes to look at, which hold the entries of version `versionBefore`. */
  constructor(state: CollectionState, versionBefore: number, unmigrated: readonly Uint8Array[]) {
    this.#state = state
    this.#before = { chain: state.chain, schemaVersion: versionBefore }
    this.#unmigrated = new Set(unmigrated.map(idOfKey))
    this.#reader = rawEntityReader(state)
  }

  look({ id, idKey, stored, bytes }: OlderEntity): void {
    const { indexes } = this.#state
    if (this.indexes.size === indexes.length) return
    const asStored = entityBytes(stored)
    const before = this.#unmigrated.has(id) ? asStored : indexedForm(this.#before, id, stored).bytes
    const keysBefore = this.#keysOf(idKey, before)
    const keysNow = this.#keysOf(idKey, bytes ?? asStored)
    for (const [i, plan] of indexes.entries()) {
      if (!isSameKeys(keysBefore[i], keysNow[i])) this.indexes.add(plan)
    }
  }

  #keysOf(idKey: Uint8Array, bytes: Uint8Array): IndexKeys {
    this.#reader.read(this.#state.name, idKey, bytes)
    return this.#state.indexes.map((_, i) => this.#reader.keysOf(i, idKey, bytes))
  }
}
