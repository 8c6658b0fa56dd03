/**
 * Chooses the way to answer a query. Any way gives the same answer; the one that is expected to look at
 * the fewest entries is taken. There are no statistics: equality counts most, then one range, then an
 * order that saves reading everything.
 */
import { type AccessPath, idPath, indexPath } from './access-path.ts'
import type { CollectionState } from './collection-state.ts'
import type { ParsedQuery } from './parsed-query.ts'

const SCORES = {
  exactId: 1000,
  uniqueKey: 500,
  equalField: 10,
  points: 9,
  range: 6,
  /** Only worth something when reading may stop early. */
  order: 4,
} as const

export function choosePath(
  state: CollectionState,
  query: ParsedQuery,
  mayStopEarly: boolean,
): AccessPath {
  let best = idPath(query)
  let bestScore = score(best, mayStopEarly)
  for (const index of state.indexes) {
    const path = indexPath(index, query)
    if (path === undefined) continue
    const pathScore = score(path, mayStopEarly)
    // In doubt the records themselves: no entry has to be looked up.
    if (pathScore > bestScore) [best, bestScore] = [path, pathScore]
  }
  return best
}

function score(path: AccessPath, mayStopEarly: boolean): number {
  const { index, equalFields, bounded, order } = path
  if (index === undefined && bounded === 'points') return SCORES.exactId
  const isWholeKey = index?.unique === true && equalFields === index.fields.length
  return (
    (isWholeKey ? SCORES.uniqueKey : 0) +
    equalFields * SCORES.equalField +
    (bounded === 'none' ? 0 : SCORES[bounded]) +
    (order !== undefined && mayStopEarly ? SCORES.order : 0)
  )
}
