/** Answers a query through an access path. The answer is the same whatever the path. */
import { type AccessPath, stretchesFrom } from './access-path.ts'
import { Candidates } from './candidates.ts'
import type { CollectionState } from './collection-state.ts'
import type { EntityReader } from './entity-reader.ts'
import type { OrderField, ParsedQuery } from './parsed-query.ts'
import type { Predicate } from './parsed-where.ts'
import { comparePlaces, type Place, placeOf } from './place.ts'
import { choosePlan, type Plan } from './planner.ts'
import type { QueryExplanation } from './query.ts'
import type { Steps } from './steps.ts'
import { UnionCandidates } from './union-candidates.ts'

/** Which of the answers are wanted, and how. */
export interface QueryBounds {
  readonly after?: Place
  /** Whoever asks may stop long before the end. */
  readonly streams?: boolean
  /** Default: that of the query. */
  readonly limit?: number
}

const BATCH = 256

export class QueryRun {
  readonly #query: ParsedQuery
  readonly #limit: number
  readonly #plan: Plan
  readonly #candidates: Candidates | UnionCandidates
  readonly #tests: readonly Predicate[]
  readonly #isOrdered: boolean
  readonly #ranges: number
  #given = 0
  /** Found and not given out. */
  #matches: readonly object[] = []
  #sorted: readonly object[] | undefined

  constructor(state: CollectionState, query: ParsedQuery, bounds: QueryBounds = {}) {
    const { after, streams = false, limit = query.limit } = bounds
    this.#query = query
    this.#limit = limit
    const mayStopEarly = streams || limit !== Infinity
    const plan = choosePlan(state, query, { mayStopEarly, streams })
    this.#plan = plan
    if (plan.kind === 'union') {
      this.#tests = testsOf(query, NONE, after).filter((test) => test !== plan.answered)
      this.#isOrdered = false
      this.#candidates = new UnionCandidates(state, plan.parts)
      this.#ranges = plan.parts.reduce((sum, { path }) => sum + path.stretches.length, 0)
      return
    }
    const { path } = plan
    this.#tests = testsOf(query, path.answered, after)
    this.#isOrdered = path.order !== undefined
    const stretches =
      after === undefined || !this.#isOrdered
        ? path.stretches
        : stretchesFrom(path, after.values, after.id, query.order)
    this.#candidates = new Candidates(state, path, stretches)
    this.#ranges = stretches.length
  }

  /** The next answers, in order, at most `max` of them and at least one; empty at the end. */
  *next(reader: EntityReader, max: number): Steps<readonly object[]> {
    const wanted = Math.min(max, this.#limit - this.#given)
    if (wanted <= 0) return []
    const entities = this.#isOrdered
      ? yield* this.#nextMatches(reader, wanted)
      : yield* this.#nextSorted(reader, wanted)
    this.#given += entities.length
    return entities
  }

  *all(reader: EntityReader): Steps<readonly object[]> {
    const answers: object[] = []
    for (;;) {
      const entities = yield* this.next(reader, BATCH)
      if (entities.length === 0) return answers
      for (const entity of entities) answers.push(entity)
    }
  }

  *count(reader: EntityReader): Steps<number> {
    const limit = this.#limit
    if (this.#tests.length === 0 && this.#candidates instanceof Candidates) {
      return Math.min(limit, yield* this.#candidates.count(reader))
    }
    let count = 0
    while (count < limit) {
      const entities = yield* this.#nextMatches(reader, BATCH)
      if (entities.length === 0) break
      count += entities.length
    }
    return Math.min(limit, count)
  }

  get explanation(): QueryExplanation {
    const paths =
      this.#plan.kind === 'union' ? this.#plan.parts.map(({ path }) => path) : [this.#plan.path]
    return {
      index: [...new Set(paths.map(nameOf))].join(', ') || null,
      ranges: this.#ranges,
      sort: this.#isOrdered ? 'index' : 'memory',
      scanned: this.#candidates.scanned,
    }
  }

  *#nextMatches(reader: EntityReader, max: number): Steps<readonly object[]> {
    // With conditions left to test, small batches would mean many of them.
    const batch = this.#tests.length === 0 ? Math.min(max, BATCH) : BATCH
    while (this.#matches.length === 0) {
      const entities = yield* this.#candidates.next(reader, batch)
      if (entities.length === 0) return entities
      this.#matches = this.#tests.length === 0 ? entities : entities.filter(this.#passes)
    }
    const matches = this.#matches
    if (matches.length <= max) this.#matches = []
    else this.#matches = matches.slice(max)
    return matches.length <= max ? matches : matches.slice(0, max)
  }

  *#nextSorted(reader: EntityReader, max: number): Steps<readonly object[]> {
    this.#sorted ??= yield* this.#sortAll(reader)
    return this.#sorted.slice(this.#given, this.#given + max)
  }

  /** All matches in order; with a limit never more than about twice as many in memory. */
  *#sortAll(reader: EntityReader): Steps<readonly object[]> {
    const limit = this.#limit
    const { order } = this.#query
    let kept: { readonly entity: object; readonly place: Place }[] = []
    for (;;) {
      const entities = yield* this.#nextMatches(reader, BATCH)
      for (const entity of entities) kept.push({ entity, place: placeOf(entity, order) })
      const atEnd = entities.length === 0
      if (atEnd || kept.length >= 2 * limit + BATCH) {
        kept = kept.sort((a, b) => comparePlaces(a.place, b.place, order)).slice(0, limit)
      }
      if (atEnd) return kept.map(({ entity }) => entity)
    }
  }

  readonly #passes = (entity: object): boolean => {
    for (const matches of this.#tests) if (!matches(entity)) return false
    return true
  }
}

/** Empty when the whole collection is read. */
function nameOf({ index, pointFields, isRanged }: AccessPath): string {
  return index?.name ?? (pointFields > 0 || isRanged ? 'id' : '')
}

const NONE: AccessPath['answered'] = new Set()
const NO_TESTS: readonly Predicate[] = []

/** What the path has not answered for good. */
function testsOf(
  query: ParsedQuery,
  answered: AccessPath['answered'],
  after: Place | undefined,
): readonly Predicate[] {
  const isAnswered = answered.size === query.conditions.length && query.predicates.length === 0
  if (isAnswered && after === undefined) return NO_TESTS
  const tests = query.conditions
    .filter((condition) => !answered.has(condition))
    .map(({ matches }) => matches)
  if (after !== undefined) tests.push(isBehind(after, query.order))
  return [...tests, ...query.predicates]
}

function isBehind(after: Place, order: readonly OrderField[]): Predicate {
  return (entity) => comparePlaces(placeOf(entity, order), after, order) > 0
}
