// A live query of 1,000 entities, one of which is changed by a commit of its own: how long until the listener has
// the difference, from the call of the commit on. In memory, so that no flush is part of it.
import { median } from '../../figures.mjs'
import { assertEqual } from '../../harness/checks.mjs'
import { createdAtOf, entityAt, randomIndexes } from '../../harness/data-set.mjs'
import { numbersByCreatedAt } from '../orders.mjs'

const LENGTH = 1000
const MILLISECONDS_MOST = 0.2
const OURS_IN_MEMORY = 'entidb-memory'

export const liveDiff = {
  name: 'live-diff',
  rows: [
    {
      name: 'live-diff',
      title: `live query of ${LENGTH} entities, one changed: commit to difference`,
      unit: 'ms',
      digits: 4,
      lessIsBetter: true,
      of: OURS_IN_MEMORY,
      goals: [{ most: MILLISECONDS_MOST }],
    },
  ],
  engines: [OURS_IN_MEMORY, 'rxdb', 'tinybase'],
  place: 'unchanged',
  scales: false,
  async run({ count, effort, timer, open }) {
    const engine = await open()
    const ordered = numbersByCreatedAt(count)
    const start = (count - LENGTH) >>> 1
    const range = {
      from: createdAtOf(ordered[start]),
      to: createdAtOf(ordered[start + LENGTH - 1]),
    }
    let told
    const close = await engine.liveBetween(range, (entity) => told(entity))
    const changes = (seed) =>
      Array.from(randomIndexes(effort.liveChanges, LENGTH, seed), (place, k) => ({
        ...entityAt(ordered[start + place]),
        visits: 1000 + seed * effort.liveChanges + k,
      }))
    const changeEach = async (entities, times) => {
      for (const entity of entities) {
        let sawMs
        const heard = new Promise((resolve) => {
          told = (changed) => {
            sawMs ??= performance.now()
            resolve(changed)
          }
        })
        const startMs = performance.now()
        await engine.put(entity)
        const changed = await heard
        times.push(sawMs - startMs)
        assertEqual('the id of what changed', changed.id, entity.id)
        assertEqual('the visits of what changed', changed.visits, entity.visits)
      }
    }
    await changeEach(changes(1), [])
    const measured = changes(2)
    const times = []
    await timer.time(() => changeEach(measured, times))
    await close()
    await engine.close()
    return { 'live-diff': median(times) }
  },
}
