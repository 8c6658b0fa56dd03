/**
 * Index entries of a bulk write, put in the order of their keys at its end: a tree takes sorted keys much
 * faster than scattered ones. Entries of unique indexes are not deferred, since later writes of the same
 * batch have to meet them.
 */
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { IndexPlan } from './index-plan.ts'
import { KeyList } from './key-list.ts'
import { type Steps, wait } from './steps.ts'
import type { Turns } from './turns.ts'

interface Entries {
  readonly keys: KeyList
  readonly values: Uint8Array[]
}

export class IndexBatch {
  readonly #entriesByTable = new Map<string, Entries>()
  readonly #shared: Uint8Array | undefined

  /** With `shared`, all keys lie in there. */
  constructor(shared?: Uint8Array) {
    this.#shared = shared
  }

  /** False: the entry has to be written at once. */
  defers({ unique, table }: IndexPlan, key: Uint8Array, value: Uint8Array): boolean {
    if (unique) return false
    const { keys, values } = this.#entriesOf(table)
    keys.add(key)
    values.push(value)
    return true
  }

  /** As `defers`, for an index that is not unique and the key at `[start, end)` of what is shared. */
  defer({ table }: IndexPlan, start: number, end: number, value: Uint8Array): void {
    const { keys, values } = this.#entriesOf(table)
    keys.addRange(start, end)
    values.push(value)
  }

  *flush(tx: WriteTransaction, turns?: Turns): Steps<void> {
    for (const [table, { keys, values }] of this.#entriesByTable) {
      const positions = keys.sortedPositions()
      // By index: an iterator in a generator costs an object for each step.
      for (let i = 0; i < positions.length; i++) {
        const position = positions[i] as number
        const turn = turns?.next()
        if (turn !== undefined) yield* wait(turn)
        // Positions are of keys, and keys and values belong together.
        const done = tx.put(table, keys.at(position), values[position] as Uint8Array)
        if (done instanceof Promise) yield* wait(done)
      }
    }
    this.#entriesByTable.clear()
  }

  #entriesOf(table: string): Entries {
    let entries = this.#entriesByTable.get(table)
    if (entries === undefined) {
      entries = { keys: new KeyList(this.#shared), values: [] }
      this.#entriesByTable.set(table, entries)
    }
    return entries
  }
}
