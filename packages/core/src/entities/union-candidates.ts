/** The entities of an `or`, part by part. Each of them comes once: with the first part that it belongs to. */
import { Candidates } from './candidates.ts'
import type { CollectionState } from './collection-state.ts'
import type { EntityReader } from './entity-reader.ts'
import type { Predicate } from './parsed-where.ts'
import type { UnionPart } from './planner.ts'
import type { Steps } from './steps.ts'

export class UnionCandidates {
  readonly #parts: readonly { readonly candidates: Candidates; readonly matches: Predicate }[]
  #at = 0

  constructor(state: CollectionState, parts: readonly UnionPart[]) {
    this.#parts = parts.map(({ path, alternative }) => ({
      candidates: new Candidates(state, path, path.stretches),
      matches: alternative.matches,
    }))
  }

  get scanned(): number {
    return this.#parts.reduce((sum, { candidates }) => sum + candidates.scanned, 0)
  }

  /** The next entities, at most `max` and at least one; empty at the end. */
  *next(reader: EntityReader, max: number): Steps<readonly object[]> {
    for (;;) {
      const part = this.#parts[this.#at]
      if (part === undefined) return []
      const entities = yield* part.candidates.next(reader, max)
      if (entities.length === 0) {
        this.#at++
        continue
      }
      const found = entities.filter((entity) => this.#firstPartOf(entity) === this.#at)
      if (found.length > 0) return found
    }
  }

  #firstPartOf(entity: object): number {
    return this.#parts.findIndex(({ matches }) => matches(entity))
  }
}
