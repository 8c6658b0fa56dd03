// From the call that stores an edit on one device until it can be read on another one, in another process, that follows
// the server. One edit after the other, of 20,000 entities.
import { assertEqual } from '../../harness/checks.mjs'
import { entityAt, randomIndexes } from '../../harness/data-set.mjs'
import { assertHolds } from '../checks.mjs'

/** A device lives for days: what V8 compiles in the first moments is not what its users wait for. */
const WARM_UP_SHARE = 2
const SECONDS_MOST = 60
/** Above all that the data set has: each edit is known by it. */
const FIRST_VISITS = 1000

function row(name, share) {
  return {
    name,
    title: `edit on one device until it is visible on another, ${share}`,
    unit: 'ms',
    digits: 2,
    lessIsBetter: true,
    goals: [{ over: 'pouchdb', most: 0.2 }],
  }
}

export const live = {
  name: 'live',
  rows: [row('live-p50', 'median'), row('live-p99', '99 of 100')],
  place: 'copy',
  size: 'small',
  withLimits: true,
  scales: false,
  async run({ engine, count, effort, timer, open }) {
    const stack = await open()
    const server = await stack.startServer()
    const [writer, reader] = [
      await stack.openDevice('writer', server),
      await stack.startDevice('reader', server),
    ]
    await writer.pull()
    if (engine !== 'limit') await assertHolds(writer, count)
    await reader.run('pull')
    let seen = () => {}
    await reader.follow((change) => seen(change))
    await writer.follow(() => {})

    let edits = 0
    const editEach = async (numbers, times) => {
      for (const number of numbers) {
        const entity = { ...entityAt(number), visits: FIRST_VISITS + edits++ }
        const visible = new Promise((resolve) => {
          seen = (change) => {
            if (change.visits === entity.visits) resolve(change)
          }
        })
        const start = process.hrtime.bigint()
        await writer.putMany([entity])
        const { id, atNs } = await within(SECONDS_MOST, visible)
        assertEqual('the id of what became visible', id, entity.id)
        times.push(Number(BigInt(atNs) - start) / 1e6)
      }
    }
    await editEach(randomIndexes(Math.ceil(effort.edits / WARM_UP_SHARE), count, 1), [])
    const times = []
    await timer.time(() => editEach(randomIndexes(effort.edits, count, 2), times))
    await stack.close()
    times.sort((a, b) => a - b)
    return { 'live-p50': quantile(times, 0.5), 'live-p99': quantile(times, 0.99) }
  },
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

async function within(seconds, promise) {
  let timer
  const late = new Promise((_, reject) => {
    const error = new Error(`wrong result: an edit was not visible within ${seconds} s`)
    timer = setTimeout(() => reject(error), seconds * 1000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
