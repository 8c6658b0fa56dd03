/** Puts the states of a page in order, which the host's own sort of numbers does without a call for each comparison. */
import type { EntityState } from '@entidb/protocol'

/** A revision, told from the least one, and a position fit into one float64: 36 and 17 bits. */
const POSITIONS_MAX = 2 ** 17
const SPREAD_MAX = 2 ** 36

/** No two of `states` have one revision. */
export function byRevision(states: readonly EntityState[]): EntityState[] {
  let least = Number.POSITIVE_INFINITY
  let greatest = 0
  for (const { revision } of states) {
    if (revision < least) least = revision
    if (revision > greatest) greatest = revision
  }
  if (states.length > POSITIONS_MAX || greatest - least >= SPREAD_MAX) {
    return [...states].sort((a, b) => a.revision - b.revision)
  }
  const order = new Float64Array(states.length)
  for (let i = 0; i < order.length; i++) {
    // Within bounds, here and below.
    order[i] = ((states[i] as EntityState).revision - least) * POSITIONS_MAX + i
  }
  order.sort()
  const sorted: EntityState[] = []
  for (const entry of order) sorted.push(states[entry % POSITIONS_MAX] as EntityState)
  return sorted
}
