// How the two sides of a conflict change an entity: each a field of its own, and one both.
import { entityAt, visitsOf } from '../harness/data-set.mjs'

const FIELD_OF_SIDE = { a: { city: 'Ankara' }, b: { score: 1.5 } }
const VISITS_OF_SIDE = { a: 1000, b: 2000 }

export function editAt(i, side) {
  return { ...entityAt(i), visits: visitsOf(i) + VISITS_OF_SIDE[side], ...FIELD_OF_SIDE[side] }
}

/** What may have become of entity i after both sides changed it. */
export function outcomesAt(i, mergesFields) {
  const [a, b] = [editAt(i, 'a'), editAt(i, 'b')]
  if (!mergesFields) return [a, b]
  const merged = { ...a, score: b.score }
  return [merged, { ...merged, visits: b.visits }]
}
