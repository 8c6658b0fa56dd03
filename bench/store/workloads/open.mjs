// From the call that opens a database, in a process that has loaded the engine's modules and nothing
// more, to the first entity.
import { assertEqual } from '../../harness/checks.mjs'
import { entityAt, idAt } from '../../harness/data-set.mjs'

const row = {
  title: 'open to first get',
  unit: 'ms',
  digits: 2,
  lessIsBetter: true,
  cost: { unit: 'ms', of: (ms) => ms },
  goals: [{ most: 10 }],
}

async function openToFirstGet({ count, round, timer, open }) {
  const number = (round * 7919) % count
  const id = idAt(number)
  let engine
  let found
  const ms = await timer.time(async () => {
    engine = await open()
    await engine.getAll([id], (entity) => {
      found = entity
    })
  })
  assertEqual(
    'the first entity',
    JSON.stringify(sorted(found)),
    JSON.stringify(sorted(entityAt(number))),
  )
  await engine.close()
  return ms
}

/** Fields in one order, whatever order the engine keeps them in. */
function sorted(entity) {
  return Object.fromEntries(Object.entries(entity).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const open = {
  name: 'open',
  rows: [{ ...row, name: 'open' }],
  place: 'unchanged',
  run: async (task) => ({ open: await openToFirstGet(task) }),
}

export const openLarge = {
  name: 'open-large',
  rows: [{ ...row, name: 'open-large', title: 'open to first get, 5 million entities' }],
  size: 'large',
  isLong: true,
  place: 'unchanged',
  run: async (task) => ({ 'open-large': await openToFirstGet(task) }),
}
