/** What a push may look like: sections 8.1 and 8.2, step 1. */
import type { ItemMap } from '../cbor-item.ts'
import { expectEqual, forEachCase } from '../expectations.ts'
import { entityOf } from '../operation.ts'
import type { Rule } from '../rule.ts'

export const pushFormRules: readonly Rule[] = [
  {
    id: 'push/simple',
    section: '15',
    holds: 'a push of the fields that are no extensions is decided, without a handshake before it',
    check: async (bench) => {
      const device = bench.device()
      const op = device.put('e1')
      const { answer } = await device.push(op)
      expectEqual('acknowledgedUpToOpId', answer.acknowledgedUpToOpId, op.opId)
      expectEqual('conflicts', answer.conflicts, [])
    },
  },
  {
    id: 'push/empty',
    section: '8',
    holds: 'a push without operations is answered with the highest opId of the device, 0 if none',
    check: async (bench) => {
      const device = bench.device()
      const empty = async (): Promise<number> => (await device.push()).answer.acknowledgedUpToOpId
      expectEqual('acknowledgedUpToOpId of a new device', await empty(), 0)
      await device.push(device.put('e1'), device.put('e2'))
      expectEqual('acknowledgedUpToOpId after two operations', await empty(), 2)
    },
  },
  {
    id: 'push/op-ids-increase',
    section: '8.1',
    holds: 'opIds that do not strictly increase are invalid_request',
    check: async (bench) => {
      const device = bench.device()
      const [one, two] = [device.put('e1'), device.put('e2')]
      await device.refused('invalid_request', [two, one])
      await device.refused('invalid_request', [one, { ...two, opId: one.opId }])
    },
  },
  {
    id: 'push/one-op-per-entity',
    section: '8.1',
    holds:
      'two operations on one entity are invalid_request; on the same id in two collections they are not',
    check: async (bench) => {
      const device = bench.device()
      const [one, two] = [device.put('e1'), device.put('e1', { v: 2 })]
      await device.refused('invalid_request', [one, two])
      const other = device.put('e1', { v: 2 }, { collection: bench.newCollection() })
      const pushed = await device.push(one, other)
      pushed.expectCommitted(one, other)
    },
  },
  {
    id: 'push/own-operations',
    section: '8.1',
    holds: 'an operation with another dbId or deviceId than the request is invalid_request',
    check: async (bench) => {
      const device = bench.device()
      const [one, two] = [device.put('e1'), device.put('e2')]
      await device.refused('invalid_request', [one, { ...two, dbId: 'conformance-other' }])
      await device.refused('invalid_request', [one, { ...two, deviceId: 'conformance-other' }])
    },
  },
  {
    id: 'push/all-or-nothing',
    section: '8.2',
    holds: 'a push with one operation that breaks the form writes nothing at all',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const good = device.put('e1')
      const bad: Readonly<Record<string, ItemMap>> = {
        'a falling opId': { ...device.put('e2'), opId: good.opId },
        'another dbId': { ...device.put('e2'), dbId: 'conformance-other' },
        'a PUT without bytes': { ...device.put('e2'), entityCbor: null },
        'a bad collection': { ...device.put('e2'), collection: '_x' },
      }
      await forEachCase(bad, async (op) => {
        await device.refused('invalid_request', [good, op])
        expectEqual('operations in the log', (await device.pullOwn(since)).length, 0)
      })
    },
  },
  {
    id: 'push/too-many',
    section: '8.2',
    holds:
      'more than maxOpsPerPush operations are too_large with the limit in details, and nothing is written',
    check: async (bench) => {
      const limit = bench.entitiesUpTo(bench.limits.maxOpsPerPush)
      const device = bench.device()
      const since = await device.head()
      const ops = Array.from({ length: limit + 1 }, (_, i) => device.put(`e${i}`))
      const error = await device.refused('too_large', ops)
      expectEqual('details.limit', error.details?.limit, limit)
      expectEqual('operations in the log', (await device.pullOwn(since)).length, 0)
    },
  },
  {
    id: 'push/as-many',
    section: '8.2',
    holds: 'exactly maxOpsPerPush operations are decided',
    check: async (bench) => {
      const limit = bench.entitiesUpTo(bench.limits.maxOpsPerPush)
      const device = bench.device()
      const ops = Array.from({ length: limit }, (_, i) => device.put(`e${i}`))
      const pushed = await device.push(...ops)
      const committed = pushed.outcomes(...ops).filter((outcome) => outcome === 'committed')
      expectEqual('operations committed', committed.length, limit)
    },
  },
  {
    id: 'push/field-types',
    section: '8',
    holds: 'an optional field of a push that has another type is invalid_request',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      await forEachCase(
        { text: '1', 'a negative number': -1, 'a float': 1.5 },
        async (sinceCursor) => {
          await device.refused('invalid_request', [], { sinceCursor })
        },
      )
      await device.refused('invalid_request', [{ ...device.put('e1'), schemaVersion: '2' }])
      await device.refused('invalid_request', [{ ...device.put('e1'), tx: 0.5 }])
    },
  },
  {
    id: 'push/bases-anywhere',
    section: '8.1',
    holds:
      'edits of one entity under rising opIds on the revision of the one before are all committed',
    check: async (bench) => {
      const device = bench.device()
      let base = 0
      for (let v = 0; v < 5; v++) {
        const entityCbor = entityOf('e1', { v })
        base = await device.commit(device.put('e1', {}, { entityVersion: base, entityCbor }))
      }
    },
  },
]
