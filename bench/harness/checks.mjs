// What workloads compare before they believe a figure.
import { checksumAt, checksumOf, idAt, visitsOf } from './data-set.mjs'

export function assertEqual(what, actual, expected) {
  if (actual === expected) return
  throw new Error(`wrong result: ${what} is ${actual}, expected ${expected}`)
}

/** Adds up every field of what it is shown. */
export class Checksum {
  count = 0
  sum = 0

  visit = (entity) => {
    this.count++
    this.sum += checksumOf(entity)
  }

  /** Against the entities of these numbers, in any order. */
  assertIs(what, indexes) {
    assertTotal(what, this, indexes, checksumAt)
  }
}

/**
 * Adds up one field: cheap enough to be within the time, so that engines are compared and not the check.
 * The warm-up before it looks at every field.
 */
export class Tally {
  count = 0
  sum = 0

  visit = (entity) => {
    this.count++
    this.sum += entity.visits
  }

  assertIs(what, indexes) {
    assertTotal(what, this, indexes, visitsOf)
  }
}

function assertTotal(what, { count, sum }, indexes, fieldOf) {
  let expected = 0
  for (const i of indexes) expected += fieldOf(i)
  assertEqual(`number of entities of ${what}`, count, indexes.length)
  assertEqual(`sum over ${what}`, sum, expected)
}

export function numbersBetween(from, to) {
  return Uint32Array.from({ length: to - from }, (_, k) => from + k)
}

/** Shown entities, compares them with those of these numbers, in this order, and every field by its checksum. */
export function assertSequence(what, numbers) {
  const seen = new Checksum()
  return {
    visit: (entity) => {
      const number = numbers[seen.count]
      assertEqual(
        `id ${seen.count} of ${what}`,
        entity.id,
        number === undefined ? '' : idAt(number),
      )
      seen.visit(entity)
    },
    assertComplete: () => seen.assertIs(what, numbers),
  }
}
