/**
 * What one transaction changes in the records of collections that have live queries. Where there are none, a
 * write costs a comparison.
 */
import type { CollectionState } from './collection-state.ts'

/** One entity, over the whole of a transaction. */
export interface RecordChange {
  readonly state: CollectionState
  readonly id: string
  /** The stored form; undefined: there was no such entity. */
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
}

/** By id. */
export type RecordChanges = ReadonlyMap<string, RecordChange>

/** A transaction as live queries see it. */
export interface CommittedChanges {
  /** Its highest opId; 0 when it made no new state of any entity. */
  readonly lastOpId: number
  readonly changesByCollection: ReadonlyMap<string, RecordChanges>
  /** Collections that were written when they had no live query: what was written there is not known. */
  readonly unrecorded: ReadonlySet<string>
}

/** Knows which collections have live queries now. */
export interface Watches {
  watches(collection: string): boolean
}

const NO_CHANGES: ReadonlyMap<string, RecordChanges> = new Map()
const NO_COLLECTIONS: ReadonlySet<string> = new Set()

export class ChangeRecorder {
  readonly #live: Watches
  #changesByCollection: Map<string, Map<string, RecordChange>> | undefined
  #unrecorded: Set<string> | undefined
  /** The last collection that was found to be one of those. */
  #ignored: CollectionState | undefined

  constructor(live: Watches) {
    this.#live = live
  }

  /** A record was written: `before` is what the transaction found there, maybe a write of its own. */
  note(
    state: CollectionState,
    id: string,
    before: Uint8Array | undefined,
    after: Uint8Array | undefined,
  ): void {
    if (state === this.#ignored) return
    const changes = this.#changesOf(state)
    if (changes === undefined) return
    const earlier = changes.get(id)
    changes.set(id, { state, id, before: earlier === undefined ? before : earlier.before, after })
  }

  finish(lastOpId: number): CommittedChanges {
    return {
      lastOpId,
      changesByCollection: this.#changesByCollection ?? NO_CHANGES,
      unrecorded: this.#unrecorded ?? NO_COLLECTIONS,
    }
  }

  /** What began without live queries stays so until the end of the transaction: half of it is of no use. */
  #changesOf(state: CollectionState): Map<string, RecordChange> | undefined {
    const { name } = state
    const known = this.#changesByCollection?.get(name)
    if (known !== undefined) return known
    if (this.#unrecorded?.has(name) === true || !this.#live.watches(name)) {
      this.#unrecorded ??= new Set()
      this.#unrecorded.add(name)
      this.#ignored = state
      return undefined
    }
    const changes = new Map<string, RecordChange>()
    this.#changesByCollection ??= new Map()
    this.#changesByCollection.set(name, changes)
    return changes
  }
}
