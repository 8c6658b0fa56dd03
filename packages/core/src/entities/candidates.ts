/**
 * Walks an access path: entities one batch after the other, in the path's order. Bounded memory: at most
 * a batch, and a run of equal keys up to `RUN_MAX`.
 */
import type { KeyRange, TreeCursor } from '../store/key-value-store.ts'
import type { AccessPath, Stretch } from './access-path.ts'
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import type { EntityReader } from './entity-reader.ts'
import { idKeyOfEntry } from './index-plan.ts'
import { mergedCursor } from './merged-stretches.ts'
import { decodeRecord } from './record.ts'
import { reverseRunCursor } from './reverse-runs.ts'
import { type Steps, wait } from './steps.ts'

export class Candidates {
  readonly #state: CollectionState
  readonly #path: AccessPath
  readonly #stretches: Stretch[]
  #cursor: EntryCursor | undefined
  #scanned = 0

  constructor(state: CollectionState, path: AccessPath, stretches: readonly Stretch[]) {
    this.#state = state
    this.#path = path
    const isReverse = path.order === 'reverse' || path.order === 'reverseRuns'
    this.#stretches = isReverse ? [...stretches].reverse() : [...stretches]
  }

  /** Entries looked at. */
  get scanned(): number {
    return this.#scanned
  }

  /** The next entities, at most `max` and at least one; empty at the end. */
  *next(reader: EntityReader, max: number): Steps<readonly object[]> {
    const entries = yield* this.#nextEntries(reader, max)
    const entities: object[] = []
    const { index } = this.#path
    for (let i = 0; i < entries.keys.length; i++) {
      // Keys and values belong together.
      const key = entries.keys[i] as Uint8Array
      const value = entries.values[i] as Uint8Array
      if (index === undefined) {
        const known = reader.knownEntityOf(this.#state, value)
        entities.push(known ?? reader.entityOf(this.#state, key, decodeRecord(value)))
        continue
      }
      const idKey = idKeyOfEntry(key, value)
      const id = idOfKey(idKey)
      const cached = reader.cached(this.#state, id)
      entities.push(cached ?? (yield* reader.entityOfEntry(this.#state, id, idKey)))
    }
    return entities
  }

  /** Counts what is left without looking at the entities. */
  *count(reader: EntityReader): Steps<number> {
    for (;;) {
      const { keys } = yield* this.#nextEntries(reader, COUNT_BATCH)
      if (keys.length === 0) return this.#scanned
    }
  }

  *#nextEntries(reader: EntityReader, max: number): Steps<Entries> {
    for (;;) {
      this.#cursor ??= this.#openCursor(reader)
      if (this.#cursor === undefined) return NO_ENTRIES
      const entries = yield* this.#cursor(max)
      this.#scanned += entries.keys.length
      if (entries.keys.length > 0) return entries
      this.#cursor = undefined
    }
  }

  #openCursor(reader: EntityReader): EntryCursor | undefined {
    const { order, isMerged } = this.#path
    if (isMerged && order !== undefined && this.#stretches.length > 1) {
      const stretches = this.#stretches.splice(0)
      return mergedCursor(stretches, order, (stretch) => this.#cursorOf(reader, stretch))
    }
    const stretch = this.#stretches.shift()
    return stretch === undefined ? undefined : this.#cursorOf(reader, stretch)
  }

  #cursorOf({ view }: EntityReader, stretch: Stretch): EntryCursor {
    const { from, to, order = this.#path.order } = stretch
    const { index } = this.#path
    const table = index?.table ?? this.#state.recordTable
    const scan = (range: KeyRange) => view.scan(table, range)
    const range = to === undefined ? { gte: from } : { gte: from, lt: to }
    if (order === 'reverseRuns') return reverseRunCursor(scan, range)
    return plainCursor(scan({ ...range, reverse: order === 'reverse' }))
  }
}

const COUNT_BATCH = 1000

export interface Entries {
  readonly keys: readonly Uint8Array[]
  readonly values: readonly Uint8Array[]
}

/** The next entries, at most so many and at least one; empty at the end. */
export type EntryCursor = (max: number) => Steps<Entries>

export const NO_ENTRIES: Entries = { keys: [], values: [] }

function plainCursor(cursor: TreeCursor): EntryCursor {
  return (max) => wait(cursor.next(max))
}
