/** What a token may do: sections 5.2 and 8.2. They take a second token or the name of another database. */
import { expectEqual } from '../expectations.ts'
import { opIdsOf } from '../operation.ts'
import type { Rule } from '../rule.ts'
import { expectError } from '../sync-api.ts'

export const accessRules: readonly Rule[] = [
  {
    id: 'access/other-database',
    section: '5.2',
    holds:
      'a database that the token does not open is forbidden in every endpoint, whether it exists or not',
    needs: ['otherDatabase'],
    check: async (bench) => {
      const { api } = bench
      const dbId = bench.given('otherDatabase')
      await api.refused('handshake', { dbId, deviceId: 'd' }, 'forbidden')
      await api.refused('pull', { dbId, sinceCursor: 0 }, 'forbidden')
      await api.refused('push', { dbId, deviceId: 'd', ops: [] }, 'forbidden')
      const path = `/v1/stream?dbId=${dbId}`
      const answer = await api.exchange({ method: 'GET', path, headers: [api.authorization] })
      expectError(answer, 'forbidden')
    },
  },
  {
    id: 'access/reader-pulls',
    section: '5.2',
    holds: 'a token that may only read shakes hands and pulls',
    needs: ['readerToken'],
    check: async (bench) => {
      const device = bench.device()
      const sinceCursor = await device.head()
      const op = device.put('e1')
      await device.push(op)
      const reader = bench.apiWith(bench.given('readerToken'))
      const { ops } = await reader.call('pull', { dbId: bench.dbId, sinceCursor })
      const own = ops.filter(({ collection }) => collection === device.collection)
      expectEqual('opIds, pulled', opIdsOf(own), [op.opId])
    },
  },
  {
    id: 'access/reader-push',
    section: '5.1',
    holds: 'a push with a token that may only read is forbidden, and writes nothing',
    needs: ['readerToken'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const reader = bench.apiWith(bench.given('readerToken'))
      await reader.refused('push', device.request([device.put('e1')]), 'forbidden')
      await reader.refused('push', device.request([]), 'forbidden')
      expectEqual('operations in the log', (await device.pullOwn(since)).length, 0)
    },
  },
]
