// Two devices change the same entities offline, then both sync, as often as it takes until they agree. Comparing them is
// outside the time.
import { entitiesBetween } from '../../harness/data-set.mjs'
import { inThisProcess } from '../device-commands.mjs'
import { CONFLICT_PEERS, FIELD_MERGERS, SILENT_PEERS } from '../engines.mjs'
import { putInTransactions } from '../stack.mjs'

const TRANSACTION_ENTITIES = 1000
const TURNS_MOST = 10

export const converge = {
  name: 'converge',
  rows: [
    {
      name: 'converge',
      title: '5,000 entities changed on two devices offline, until both agree',
      unit: 'ms',
      lessIsBetter: true,
      goals: [
        { over: 'best peer', among: CONFLICT_PEERS, most: 0.5 },
        { over: 'best peer', among: SILENT_PEERS, most: 1 },
      ],
    },
  ],
  place: 'empty',
  scales: false,
  async run({ engine, effort, timer, open }) {
    const entities = effort.conflicts
    const stack = await open()
    const server = await stack.startServer()
    const device = await stack.openDevice('a', server)
    await putInTransactions(device, entitiesBetween(0, entities), TRANSACTION_ENTITIES)
    await device.push()
    const [a, b] = [inThisProcess(device), await stack.startDevice('b', server)]
    await b.run('pull')
    await a.run('edit', 'a', entities)
    await b.run('edit', 'b', entities)
    const mergesFields = FIELD_MERGERS.includes(engine)
    let ms = 0
    for (let turn = 0; ; turn++) {
      if (turn === TURNS_MOST) throw new Error(`wrong result: no agreement after ${turn} syncs`)
      ms += await timer.time(() => Promise.all([a.run('sync'), b.run('sync')]))
      const states = await Promise.all(
        [a, b].map((side) => side.run('state', entities, mergesFields)),
      )
      const [{ hash, isSettled }, other] = states
      if (hash !== other.hash) continue
      if (!isSettled) throw new Error('wrong result: an entity is no merge of the two edits')
      break
    }
    await stack.close()
    return { converge: ms }
  },
}
