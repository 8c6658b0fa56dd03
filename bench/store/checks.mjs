// What the workloads of the store compare besides what they read.
import { assertEqual, Checksum, numbersBetween } from '../harness/checks.mjs'
import { STATUSES, statusOf } from '../harness/data-set.mjs'

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
