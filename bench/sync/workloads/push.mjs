// Pushes 20,000 entities that were written offline in transactions of 100 to a server that has none.
import { entitiesBetween } from '../../harness/data-set.mjs'
import { assertHolds } from '../checks.mjs'
import { putInTransactions } from '../stack.mjs'

const TRANSACTION_ENTITIES = 100

export const push = {
  name: 'push',
  rows: [
    {
      name: 'push',
      title: 'push of 20,000 written offline in transactions of 100',
      unit: 'entities/s',
      goals: [
        { over: 'best peer', least: 1 },
        { over: 'pouchdb', least: 8 },
      ],
    },
  ],
  place: 'empty',
  size: 'small',
  async run({ count, timer, open }) {
    const stack = await open()
    const server = await stack.startServer()
    const device = await stack.openDevice('device', server)
    await putInTransactions(device, entitiesBetween(0, count), TRANSACTION_ENTITIES)
    const ms = await timer.time(() => device.push())
    const other = await stack.openDevice('other', server)
    await other.pull()
    await assertHolds(other, count)
    await stack.close()
    return { push: (count / ms) * 1000 }
  },
}
