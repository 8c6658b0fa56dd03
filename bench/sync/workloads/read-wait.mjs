// How long an application's read by id may have to wait on the device while a first sync is applied: it reads again and
// again, each time when the host has had its turn.
import { idAt } from '../../harness/data-set.mjs'
import { assertHolds } from '../checks.mjs'

const MS_MOST = 50

export const readWait = {
  name: 'read-wait',
  rows: [
    {
      name: 'read-wait',
      title: 'longest wait for a read by id on the device during a first sync',
      unit: 'ms',
      digits: 1,
      lessIsBetter: true,
      cost: { unit: 'ms', of: (ms) => ms },
      goals: [{ most: MS_MOST }],
    },
  ],
  place: 'copy',
  async run({ count, timer, open }) {
    const stack = await open()
    const server = await stack.startServer()
    const device = await stack.openDevice('device', server)
    globalThis.gc()
    const reading = readUntil(device, count)
    await timer.time(() => device.pull())
    const longestMs = await reading.end()
    await assertHolds(device, count)
    await stack.close()
    return { 'read-wait': longestMs }
  },
}

/** From the moment in which the application wants an entity, here or not, until it was looked for. */
function readUntil(device, count) {
  let isEnding = false
  const ended = (async () => {
    let longestMs = 0
    for (let number = 0; !isEnding; number = (number + STRIDE) % count) {
      const wanted = performance.now()
      await new Promise((resolve) => setImmediate(resolve))
      await device.read(idAt(number))
      longestMs = Math.max(longestMs, performance.now() - wanted)
    }
    return longestMs
  })()
  return {
    end() {
      isEnding = true
      return ended
    },
  }
}

/** Prime: every entity has its turn. */
const STRIDE = 7919
