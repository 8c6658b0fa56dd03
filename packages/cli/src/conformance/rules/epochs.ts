/** What is seen of epochs without restarting the server: section 9. */
import { EPOCH_STRIDE, type HistoryEntry } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import { expectEqual, expectThat } from '../expectations.ts'
import { known } from '../pushed.ts'
import type { Rule } from '../rule.ts'

interface Begun {
  readonly epoch: Uint8Array
  readonly history: readonly HistoryEntry[]
  readonly head: number
}

/** After a push, which begins an epoch at the latest. */
async function begun(bench: Bench): Promise<Begun> {
  const device = bench.device()
  await device.push(device.put('e1'))
  const { epoch, history, serverCursor } = await device.handshake()
  return { epoch: known(epoch, 'epoch'), history: known(history, 'history'), head: serverCursor }
}

export const epochRules: readonly Rule[] = [
  {
    id: 'epoch/history',
    section: '9',
    holds: 'the newest entry of the history is the current epoch, and firstCursors rise from 1',
    check: async (bench) => {
      const { epoch, history } = await begun(bench)
      expectEqual('epoch of the newest entry', history.at(-1)?.epoch, epoch)
      expectEqual('firstCursor of the oldest entry', history[0]?.firstCursor, 1)
    },
  },
  {
    id: 'epoch/raise',
    section: '9',
    holds: 'the head lies beyond the next greater multiple of 2^28 from where the epoch began',
    check: async (bench) => {
      const { history, head } = await begun(bench)
      const before = (history.at(-1)?.firstCursor ?? 1) - 1
      const raised = (Math.floor(before / EPOCH_STRIDE) + 1) * EPOCH_STRIDE
      expectThat(head > raised, `a head beyond ${raised}`, head)
    },
  },
  {
    id: 'epoch/pull',
    section: '9',
    holds: 'a pull that names another epoch is epoch_mismatch, with the history in details',
    check: async (bench) => {
      const { history } = await begun(bench)
      const pull = { dbId: bench.dbId, sinceCursor: 0, epoch: bench.newId() }
      const error = await bench.api.refused('pull', pull, 'epoch_mismatch')
      expectEqual('details.history', error.details?.history, history)
    },
  },
  {
    id: 'epoch/push',
    section: '9',
    holds:
      'a push that names another epoch is epoch_mismatch, with the history in details, and writes nothing',
    check: async (bench) => {
      const { history, head } = await begun(bench)
      const device = bench.device()
      const error = await device.refused('epoch_mismatch', [device.put('e1')], {
        epoch: bench.newId(),
      })
      expectEqual('details.history', error.details?.history, history)
      expectEqual('head', await device.head(), head)
    },
  },
  {
    id: 'epoch/current',
    section: '9',
    holds: 'requests that name the current epoch, and those that name none, are served',
    check: async (bench) => {
      const { epoch, head } = await begun(bench)
      const device = bench.device()
      await device.pull(head, { epoch })
      await device.pull(head)
      const [one, two] = [device.put('e1'), device.put('e2')]
      const named = await device.pushWith({ epoch }, one)
      expectEqual('outcome under the epoch', named.outcomeOf(one), 'committed')
      expectEqual('outcome without one', (await device.push(two)).outcomeOf(two), 'committed')
    },
  },
  {
    id: 'epoch/before-is-common',
    section: '9',
    holds: 'every revision is at or above the firstCursor of the epoch it was given in',
    check: async (bench) => {
      const { history } = await begun(bench)
      const device = bench.device()
      const revision = await device.commit(device.put('e2'))
      const first = history.at(-1)?.firstCursor ?? 0
      expectThat(revision >= first, `a revision from ${first} on`, revision)
    },
  },
]
