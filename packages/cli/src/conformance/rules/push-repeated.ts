/** Repeated and reused opIds, and the floor: sections 8.2 and 8.4. */
import { expectEqual, forEachCase } from '../expectations.ts'
import { entityOf, type OperationFields } from '../operation.ts'
import type { Rule } from '../rule.ts'

export const repeatedPushRules: readonly Rule[] = [
  {
    id: 'push/repeated',
    section: '8.4',
    holds: 'a push sent again is answered with the same revisions, and writes nothing',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const ops = ['e1', 'e2', 'e3'].map((id) => device.put(id))
      const first = await device.push(...ops)
      for (let i = 0; i < 3; i++) {
        const again = await device.push(...ops)
        again.expectCommitted(...ops)
        expectEqual('revisions', again.revisions(...ops), first.revisions(...ops))
        expectEqual('head', again.head, again.headBefore)
      }
      expectEqual('operations in the log', (await device.pullOwn(since)).length, ops.length)
    },
  },
  {
    id: 'push/repeated-later',
    section: '8.4',
    holds:
      'an accepted operation stays accepted at its recorded revision after others wrote the entity',
    check: async (bench) => {
      const device = bench.device()
      const other = bench.device({ collection: device.collection })
      const op = device.put('e1', { v: 1 })
      const revision = await device.commit(op)
      const edit = other.put('e1', { v: 2 }, { entityVersion: revision })
      await other.push(edit)
      const again = await device.push(op)
      expectEqual('outcome', again.outcomeOf(op), 'committed')
      expectEqual('revision', again.revisionOf(op), revision)
    },
  },
  {
    id: 'push/repeated-no-op',
    section: '8.2',
    holds:
      'no-ops are recorded: sent again they repeat their revision, also after the entity has changed',
    check: async (bench) => {
      const device = bench.device()
      const other = bench.device({ collection: device.collection })
      const revision = await device.commit(device.put('e1'))
      const noOps = [device.put('e1', {}, { entityVersion: 7 }), device.delete('e2', 0)]
      const first = await device.push(...noOps)
      await other.push(other.put('e1', { v: 2 }, { entityVersion: revision }), other.put('e2'))
      const again = await device.push(...noOps)
      expectEqual('revisions', again.revisions(...noOps), first.revisions(...noOps))
    },
  },
  {
    id: 'push/repeated-among-new',
    section: '8.2',
    holds:
      'duplicates and new operations may be in one request: the first repeat, the second are decided',
    check: async (bench) => {
      const device = bench.device()
      const [one, two] = [device.put('e1'), device.put('e2')]
      const first = await device.push(one, two)
      const three = device.put('e3')
      const both = await device.push(two, three)
      both.expectCommitted(two, three)
      expectEqual('revision of the duplicate', both.revisionOf(two), first.revisionOf(two))
      expectEqual('head', both.head, both.headBefore + 1)
    },
  },
  {
    id: 'push/content',
    section: '4.2',
    holds:
      'timestampMs, tx and schemaVersion are no content: with others a repeated operation is a duplicate',
    check: async (bench) => {
      const device = bench.device()
      const op = device.put('e1', {}, { timestampMs: 1, tx: 0, schemaVersion: 1 })
      const revision = await device.commit(op)
      const others: readonly OperationFields[] = [
        { timestampMs: 2 },
        { tx: 9 },
        { schemaVersion: 5 },
      ]
      for (const fields of others) {
        const again = { ...op, ...fields }
        expectEqual('revision', await device.commit(again), revision)
      }
    },
  },
  {
    id: 'push/reused',
    section: '8.2',
    holds: 'an opId with other content is op_id_reused, and nothing of the request is written',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const [one, two] = [device.put('e1'), device.put('e2')]
      await device.push(one, two)
      const changes: Readonly<Record<string, OperationFields>> = {
        'other bytes': { entityCbor: entityOf('e2', { v: 2 }) },
        'another base': { entityVersion: 7 },
        'another entity': { entityId: 'e5', entityCbor: entityOf('e5') },
        'another collection': { collection: bench.newCollection() },
        'a delete': { opType: 'DELETE', entityCbor: null },
      }
      await forEachCase(changes, async (change) => {
        const fresh = device.put('e3', {}, { opId: 9 })
        await device.refused('op_id_reused', [{ ...two, ...change }, fresh])
      })
      expectEqual('operations in the log', (await device.pullOwn(since)).length, 2)
    },
  },
  {
    id: 'push/reused-details',
    section: '5.2',
    holds: 'op_id_reused has in details the highest opId that the server knows of the device',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      const [one, two] = [device.put('e1'), device.put('e2', {}, { opId: 9 })]
      await device.push(one, two)
      const reused = { ...one, entityCbor: entityOf('e1', { v: 2 }) }
      const error = await device.refused('op_id_reused', [reused])
      expectEqual('details.lastOpId', error.details?.lastOpId, 9)
    },
  },
  {
    id: 'push/reused-no-op',
    section: '8.2',
    holds: 'an opId of a no-op with other content is op_id_reused, too',
    check: async (bench) => {
      const device = bench.device()
      const noOp = device.delete('e1', 0)
      await device.push(noOp)
      await device.refused('op_id_reused', [{ ...device.put('e1'), opId: noOp.opId }])
    },
  },
  {
    id: 'push/reusable',
    section: '8.2',
    holds:
      'an opId that was only in a conflict is decided anew, also with other content: the later answer counts',
    check: async (bench) => {
      const device = bench.device()
      const stale = device.put('e1', {}, { entityVersion: 7 })
      expectEqual('outcome', (await device.push(stale)).outcomeOf(stale), 'conflict')
      const good = { ...stale, entityVersion: 0 }
      expectEqual(
        'outcome on a base that holds',
        (await device.push(good)).outcomeOf(good),
        'committed',
      )
    },
  },
  {
    id: 'push/floor',
    section: '8.2',
    holds:
      'an unknown opId below the first of the last push that was decided is a stale conflict, never accepted',
    check: async (bench) => {
      const device = bench.device()
      await device.push(device.put('e1', {}, { opId: 10 }))
      const late = device.put('e2', {}, { opId: 4 })
      const pushed = await device.push(late)
      expectEqual('outcome', pushed.outcomeOf(late), 'conflict')
      expectEqual('serverState', pushed.stateOf(late), { entityVersion: 0, entityCbor: null })
    },
  },
  {
    id: 'push/floor-no-op',
    section: '8.2',
    holds: 'a no-op below the floor is committed as one',
    check: async (bench) => {
      const device = bench.device()
      const revision = await device.commit(device.put('e1', {}, { opId: 10 }))
      const same = device.put('e1', {}, { opId: 5, entityVersion: 7 })
      const absent = device.delete('e2', 0, { opId: 6 })
      const pushed = await device.push(same, absent)
      expectEqual('revisions', pushed.revisions(same, absent), [revision, 0])
    },
  },
  {
    id: 'push/floor-stays',
    section: '8.2',
    holds: 'the floor never decreases: an older push sent again does not lower it',
    check: async (bench) => {
      const device = bench.device()
      const old = device.put('e1', {}, { opId: 1 })
      await device.push(old)
      await device.push(device.put('e2', {}, { opId: 20 }))
      await device.push(old)
      const between = device.put('e3', {}, { opId: 15 })
      expectEqual('outcome', (await device.push(between)).outcomeOf(between), 'conflict')
    },
  },
  {
    id: 'push/gap',
    section: '8.2',
    holds:
      'opIds need not be dense: one above the floor is accepted, also below the highest that was seen',
    check: async (bench) => {
      const device = bench.device()
      const [one, three] = [device.put('e1', {}, { opId: 1 }), device.put('e3', {}, { opId: 30 })]
      await device.push(one, three)
      const two = device.put('e2', {}, { opId: 20 })
      expectEqual('outcome', (await device.push(two)).outcomeOf(two), 'committed')
    },
  },
]
