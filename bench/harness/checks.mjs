// What workloads compare before they believe a figure.
import { checksumAt, checksumOf, STATUSES, statusOf, visitsOf } from './data-set.mjs'

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

/** All entities, and the status index, of a database just loaded. */
export async function assertLoaded(engine, count) {
  assertEqual('count', await engine.count(), count)
  const seen = new Checksum()
  await engine.scan(seen.visit)
  seen.assertIs('a scan', numbersBetween(0, count))
  const expected = new Map(STATUSES.map((status) => [status, 0]))
  for (let i = 0; i < count; i++) expected.set(statusOf(i), expected.get(statusOf(i)) + 1)
  for (const [status, entities] of expected) {
    assertEqual(`count of ${status}`, await engine.countByStatus(status), entities)
  }
}

/** Entities that were put after the load, by a get and through the index. */
export async function assertPut(engine, numbers, put) {
  const seen = new Checksum()
  const ids = put.map(({ id }) => id)
  await engine.getAll(ids, seen.visit)
  seen.assertIs('what was put', numbers)
  const last = put.at(-1)
  const found = []
  await engine.range(last.createdAt, 1, (entity) => found.push(entity.id))
  assertEqual('the entity at the index entry of the last put', found[0], last.id)
}
