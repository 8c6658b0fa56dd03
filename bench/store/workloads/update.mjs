// Read-modify-write of random entities in durable transactions of 1,000: one more visit, and the next
// status, so that one of the two indexes changes.
import { assertEqual } from '../../harness/checks.mjs'
import { distinctIndexes, idAt, STATUSES } from '../../harness/data-set.mjs'

const TRANSACTION_ENTITIES = 1000

const nextStatus = (status) => STATUSES[(STATUSES.indexOf(status) + 1) % STATUSES.length]
const change = (entity) => ({
  ...entity,
  visits: entity.visits + 1,
  status: nextStatus(entity.status),
})

export const update = {
  name: 'update',
  rows: [
    {
      name: 'update',
      title: 'read-modify-write of 20,000 random entities in transactions of 1,000',
      unit: 'entities/s',
      goals: [{ over: 'best peer', least: 1.3 }],
    },
  ],
  place: 'copy',
  async run({ count, effort, round, timer, open }) {
    const engine = await open()
    const ids = Array.from(distinctIndexes(Math.min(2 * effort.updates, count), count, round), idAt)
    await updateAll(engine, ids.splice(0, Math.floor(ids.length / 2)))
    const expected = await statusCounts(engine)
    const before = await visitsOf(engine, ids, (status) => {
      expected.set(status, expected.get(status) - 1)
      expected.set(nextStatus(status), expected.get(nextStatus(status)) + 1)
    })
    const ms = await timer.time(() => updateAll(engine, ids))
    assertEqual('visits added', (await visitsOf(engine, ids, () => {})) - before, ids.length)
    for (const [status, entities] of await statusCounts(engine)) {
      assertEqual(`count of ${status}`, entities, expected.get(status))
    }
    await engine.close()
    return { update: (ids.length / ms) * 1000 }
  },
}

async function updateAll(engine, ids) {
  for (let from = 0; from < ids.length; from += TRANSACTION_ENTITIES) {
    await engine.update(ids.slice(from, from + TRANSACTION_ENTITIES), change)
  }
}

async function statusCounts(engine) {
  const counts = new Map()
  for (const status of STATUSES) counts.set(status, await engine.countByStatus(status))
  return counts
}

async function visitsOf(engine, ids, seeStatus) {
  let visits = 0
  await engine.getAll(ids, (entity) => {
    visits += entity.visits
    seeStatus(entity.status)
  })
  return visits
}
