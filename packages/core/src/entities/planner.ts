/**
 * Chooses the way to answer a query. Any way gives the same answer; the one that is expected to look at
 * the fewest entries is taken. There are no statistics: equality counts most, then one of several values, then
 * one range, then an order that saves reading everything.
 *
 * An `or` is answered part by part when each of its parts has a way of its own that leaves out most entities.
 */
import type { AccessPath } from './access-path.ts'
import type { CollectionState } from './collection-state.ts'
import { idPath } from './id-path.ts'
import { bindsFirstField, indexPath } from './index-path.ts'
import type { ParsedQuery } from './parsed-query.ts'
import type { Alternative, Alternatives, Predicate } from './parsed-where.ts'

const SCORES = {
  exactId: 1000,
  uniqueKey: 500,
  equalField: 10,
  pointField: 9,
  range: 6,
  /** Only worth something when reading may stop early. */
  order: 4,
} as const

/** Ways to the entities of one part each, together to all of them; some may be found more than once. */
export interface UnionPart {
  readonly path: AccessPath
  readonly alternative: Alternative
}

export type Plan =
  | { readonly kind: 'path'; readonly path: AccessPath }
  | {
      readonly kind: 'union'
      readonly parts: readonly UnionPart[]
      /** What the parts answer for good. */
      readonly answered: Predicate
    }

interface Reading {
  /** Not all of the answer may be asked for. */
  readonly mayStopEarly: boolean
  /** The answer must not be gathered in memory where that can be avoided. */
  readonly streams: boolean
}

export function choosePlan(state: CollectionState, query: ParsedQuery, reading: Reading): Plan {
  const single = choosePath(state, query, reading.mayStopEarly)
  let best: Plan = { kind: 'path', path: single.path }
  // Parts come in no order: each answer would wait for the last one.
  if (reading.streams) return best
  let bestScore = single.score
  for (const alternatives of query.alternatives) {
    const union = chooseParts(state, query, alternatives)
    if (union.score > bestScore) {
      best = { kind: 'union', parts: union.parts, answered: alternatives.matches }
      bestScore = union.score
    }
  }
  return best
}

interface Scored {
  readonly path: AccessPath
  readonly score: number
}

function chooseParts(
  state: CollectionState,
  query: ParsedQuery,
  alternatives: Alternatives,
): { readonly parts: readonly UnionPart[]; readonly score: number } {
  let score: number = SCORES.exactId
  const parts = alternatives.parts.map((alternative): UnionPart => {
    const conditions = [...query.conditions, ...alternative.conditions]
    const scored = choosePath(state, { ...query, conditions }, false)
    score = Math.min(score, scored.score)
    return { path: scored.path, alternative }
  })
  return { parts, score }
}

function choosePath(state: CollectionState, query: ParsedQuery, mayStopEarly: boolean): Scored {
  let path = idPath(query)
  let score = scoreOf(path, mayStopEarly)
  const isOrderOfUse = mayStopEarly && query.order.length > 0
  for (const index of state.queryIndexes) {
    // One entity at most: nothing is better. Points are looked up by the million.
    if (score >= SCORES.uniqueKey) break
    if (!isOrderOfUse && !bindsFirstField(index, query)) continue
    const other = indexPath(index, query)
    if (other === undefined) continue
    const otherScore = scoreOf(other, mayStopEarly)
    // In doubt the records themselves: no entry has to be looked up.
    if (otherScore > score) [path, score] = [other, otherScore]
  }
  return { path, score }
}

function scoreOf(path: AccessPath, mayStopEarly: boolean): number {
  const { index, equalFields, pointFields, isRanged, order } = path
  if (index === undefined && pointFields > 0) return SCORES.exactId
  const isWholeKey = index?.unique === true && equalFields === index.fields.length
  return (
    (isWholeKey ? SCORES.uniqueKey : 0) +
    equalFields * SCORES.equalField +
    pointFields * SCORES.pointField +
    (isRanged ? SCORES.range : 0) +
    (order !== undefined && mayStopEarly ? SCORES.order : 0)
  )
}
