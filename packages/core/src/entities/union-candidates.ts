/** The entities of an `or`, part by part. Each of them comes once: with the first part that it belongs to. */
import { Candidates } from './candidates.ts'
import type { CollectionState } from './collection-state.ts'
import type { EntityReader } from './entity-reader.ts'
import type { Predicate } from './parsed-where.ts'
import type { UnionPart } from './planner.ts'
import type { Steps } from './steps.ts'

/** With more, asking those before about every entity takes longer than anything else. */
const FEW_PARTS = 64

export class UnionCandidates {
  readonly #parts: readonly { readonly candidates: Candidates; readonly matches: Predicate }[]
  /** Ids of those given out; of few parts, whose answers may be many, undefined. */
  readonly #given: Set<unknown> | undefined
  #at = 0

  constructor(state: CollectionState, parts: readonly UnionPart[]) {
    this.#parts = parts.map(({ path, alternative }) => ({
      candidates: new Candidates(state, path, path.stretches),
      matches: alternative.matches,
    }))
    this.#given = parts.length > FEW_PARTS ? new Set() : undefined
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
      const found = entities.filter(this.#isNew)
      if (found.length > 0) return found
    }
  }

  /** Does it belong to this part, and to none before? */
  readonly #isNew = (entity: object): boolean => {
    const given = this.#given
    if (given === undefined) {
      return this.#parts.findIndex(({ matches }) => matches(entity)) === this.#at
    }
    if (this.#parts[this.#at]?.matches(entity) !== true) return false
    const { size } = given
    return given.add('id' in entity && entity.id).size > size
  }
}
