/** Groups and rejections: section 8.2, the last table. */
import { bytesOf } from '../cbor-item.ts'
import { expectEqual } from '../expectations.ts'
import type { Rule } from '../rule.ts'

const BAD = bytesOf('ff')

export const pushGroupRules: readonly Rule[] = [
  {
    id: 'group/committed',
    section: '8.2',
    holds: 'a group of acceptable operations is committed as a whole',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const ops = ['e1', 'e2', 'e3'].map((id) => device.put(id, {}, { tx: 4 }))
      const pushed = await device.push(...ops)
      expectEqual('outcomes', pushed.reasons(...ops), ['committed', 'committed', 'committed'])
    },
  },
  {
    id: 'group/conflict',
    section: '8.2',
    holds:
      'one old base turns a whole group into conflicts: reason stale there, group with the state of each at the others',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const ops = [
        device.put('e1', {}, { tx: 4 }),
        device.put('e2', {}, { tx: 4, entityVersion: 7 }),
        device.put('e3', {}, { tx: 4 }),
      ]
      const pushed = await device.push(...ops)
      expectEqual('reasons', pushed.reasons(...ops), ['group', 'stale', 'group'])
      for (const op of ops) {
        const absent = { entityVersion: 0, entityCbor: null }
        expectEqual(`serverState of ${op.entityId}`, pushed.stateOf(op), absent)
      }
      expectEqual('operations in the log', (await device.pullOwn(since)).length, 0)
    },
  },
  {
    id: 'group/no-ops',
    section: '8.2',
    holds: 'no-ops of a group with a conflict are committed all the same',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const revision = await device.commit(device.put('e1'))
      const stale = device.put('e2', {}, { tx: 0, entityVersion: 7 })
      const noOps = [
        device.put('e1', {}, { tx: 0, entityVersion: 9 }),
        device.delete('e3', 0, { tx: 0 }),
      ]
      const pushed = await device.push(stale, ...noOps)
      expectEqual('outcomes', pushed.reasons(stale, ...noOps), ['stale', 'committed', 'committed'])
      expectEqual('revisions', pushed.revisions(...noOps), [revision, 0])
    },
  },
  {
    id: 'group/others-flow',
    section: '8.2',
    holds:
      'other groups and operations of the request are decided by themselves, wherever they stand',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const ops = [
        device.put('e1', {}, { tx: 4 }),
        device.put('e2', {}, { tx: 5 }),
        device.put('e3', {}, { tx: 4, entityVersion: 7 }),
        device.put('e4'),
        device.put('e5', {}, { tx: 5 }),
      ]
      const pushed = await device.push(...ops)
      const expected = ['group', 'committed', 'stale', 'committed', 'committed']
      expectEqual('outcomes', pushed.reasons(...ops), expected)
    },
  },
  {
    id: 'group/cursors',
    section: '8.2',
    holds:
      'cursors are given group by group, each at the place of its first operation, within it by opId',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const ops = [7, 3, undefined, 7, 3].map((tx, i) =>
        device.put(`e${i}`, {}, tx === undefined ? {} : { tx }),
      )
      const pushed = await device.push(...ops)
      const places = pushed.revisions(...ops).map((revision) => revision - pushed.headBefore)
      expectEqual('places behind headBefore', places, [1, 3, 5, 2, 4])
    },
  },
  {
    id: 'group/per-request',
    section: '8.2',
    holds: 'a tx means something within its request only: the same number later is another group',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const first = device.put('e1', {}, { tx: 0 })
      expectEqual('first', (await device.push(first)).reasons(first), ['committed'])
      const second = device.put('e2', {}, { tx: 0, entityVersion: 7 })
      expectEqual('second', (await device.push(second)).reasons(second), ['stale'])
      const third = device.put('e3', {}, { tx: 0 })
      expectEqual('third', (await device.push(third)).reasons(third), ['committed'])
    },
  },
  {
    id: 'group/duplicates',
    section: '8.2',
    holds: 'duplicates in a group repeat their revision, and the rest is decided as a group',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const known = device.put('e1', {}, { tx: 0 })
      const revision = await device.commit(known)
      const [stale, other] = [
        device.put('e2', {}, { tx: 0, entityVersion: 7 }),
        device.put('e3', {}, { tx: 0 }),
      ]
      const pushed = await device.push(known, stale, other)
      const expected = ['committed', 'stale', 'group']
      expectEqual('outcomes', pushed.reasons(known, stale, other), expected)
      expectEqual('revision of the duplicate', pushed.revisionOf(known), revision)
      const good = { ...stale, entityVersion: 0 }
      const again = await device.push(known, good, other)
      const all = ['committed', 'committed', 'committed']
      expectEqual('outcomes on a base that holds', again.reasons(known, good, other), all)
    },
  },
  {
    id: 'group/floor',
    section: '8.2',
    holds: 'an operation below the floor makes its group a conflict',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      await device.push(device.put('e1', {}, { opId: 10 }))
      const low = device.put('e2', {}, { opId: 5, tx: 1 })
      const high = device.put('e3', {}, { opId: 11, tx: 1 })
      const pushed = await device.push(low, high)
      expectEqual('outcomes', pushed.reasons(low, high), ['stale', 'group'])
    },
  },
  {
    id: 'group/rejection',
    section: '8.2',
    holds:
      'a rejection takes its whole group with it, under the code group, before any conflict of it, no-ops too',
    needs: ['groups', 'rejections'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const ops = [
        device.delete('e1', 0, { tx: 0 }),
        device.put('e2', {}, { tx: 0, entityVersion: 7 }),
        device.put('e3', {}, { tx: 0, entityCbor: BAD }),
        device.put('e4', {}, { tx: 0 }),
      ]
      const pushed = await device.push(...ops)
      const expected = ['group', 'group', 'invalid_entity', 'group']
      expectEqual('outcomes', pushed.reasons(...ops), expected)
      expectEqual(
        'rejected operations',
        pushed.outcomes(...ops),
        ops.map(() => 'rejected'),
      )
      expectEqual('operations in the log', (await device.pullOwn(since)).length, 0)
    },
  },
  {
    id: 'group/rejection-alone',
    section: '8.2',
    holds: 'a rejection of one group never blocks another',
    needs: ['groups', 'rejections'],
    check: async (bench) => {
      const device = bench.device()
      const ops = [
        device.put('e1', {}, { tx: 0, entityCbor: BAD }),
        device.put('e2', {}, { tx: 1 }),
        device.put('e3'),
      ]
      const pushed = await device.push(...ops)
      const expected = ['invalid_entity', 'committed', 'committed']
      expectEqual('outcomes', pushed.reasons(...ops), expected)
    },
  },
  {
    id: 'group/rejection-duplicates',
    section: '8.2',
    holds: 'duplicates in a group with a rejection repeat their revision',
    needs: ['groups', 'rejections'],
    check: async (bench) => {
      const device = bench.device()
      const known = device.put('e1', {}, { tx: 0 })
      const revision = await device.commit(known)
      const bad = device.put('e2', {}, { tx: 0, entityCbor: BAD })
      const pushed = await device.push(known, bad)
      expectEqual('outcomes', pushed.reasons(known, bad), ['committed', 'invalid_entity'])
      expectEqual('revision of the duplicate', pushed.revisionOf(known), revision)
    },
  },
]
