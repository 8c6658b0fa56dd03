/** The answer to a push: sections 8 and 8.3. */
import type { Bench } from '../bench.ts'
import { bytesOf } from '../cbor-item.ts'
import { expectEqual, expectThat, RuleFailure } from '../expectations.ts'
import { entityOf, type Operation, opIdsOf } from '../operation.ts'
import { known, type Pushed } from '../pushed.ts'
import type { Rule } from '../rule.ts'

interface Mixed {
  readonly ops: readonly Operation[]
  readonly pushed: Pushed
}

/** A push in which there is one of everything: duplicates, no-ops, edits, conflicts and rejections. */
async function mixedPush(bench: Bench): Promise<Mixed> {
  const device = bench.device()
  const born = device.put('e1')
  await device.push(born)
  const ops = [
    born,
    device.put('e2', {}, { entityVersion: 7 }),
    device.put('e3'),
    device.put('e4', {}, { entityCbor: bytesOf('ff') }),
    device.put('e5', {}, { entityVersion: 9 }),
    device.delete('e6', 0),
    device.put('e7'),
    device.put('e8', {}, { entityCbor: bytesOf('80') }),
  ]
  return { ops, pushed: await device.push(...ops) }
}

export const pushAnswerRules: readonly Rule[] = [
  {
    id: 'push/one-list',
    section: '8',
    holds: 'each operation of a push is in exactly one of committed, conflicts and rejected',
    check: async (bench) => {
      const { ops, pushed } = await mixedPush(bench)
      const { conflicts, committed, rejected } = pushed.answer
      const listed = [
        ...opIdsOf(known(committed, 'committed')),
        ...opIdsOf(known(rejected, 'rejected')),
        ...opIdsOf(conflicts.map(({ clientOp }) => clientOp)),
      ]
      expectEqual(
        'opIds of the three lists',
        listed.sort((a, b) => a - b),
        opIdsOf(ops),
      )
    },
  },
  {
    id: 'push/outcomes',
    section: '8.2',
    holds: 'of a push with one of everything each operation without tx is decided alone',
    needs: ['rejections'],
    check: async (bench) => {
      const { ops, pushed } = await mixedPush(bench)
      const conflict = 'conflict'
      const expected = [
        'committed',
        conflict,
        'committed',
        'rejected',
        conflict,
        'committed',
        'committed',
        'rejected',
      ]
      expectEqual('outcomes', pushed.outcomes(...ops), expected)
    },
  },
  {
    id: 'push/acknowledged',
    section: '8',
    holds: 'acknowledgedUpToOpId is the highest opId of the request, whatever became of it',
    check: async (bench) => {
      const device = bench.device()
      const [born, next] = [device.put('e1'), device.put('e2', {}, { opId: 9 })]
      expectEqual('after a put', (await device.push(born, next)).answer.acknowledgedUpToOpId, 9)
      expectEqual('of an older push', (await device.push(born)).answer.acknowledgedUpToOpId, 1)
      const stale = device.put('e3', {}, { opId: 12, entityVersion: 7 })
      expectEqual('after a conflict', (await device.push(stale)).answer.acknowledgedUpToOpId, 12)
    },
  },
  {
    id: 'push/heads',
    section: '8.3',
    holds:
      'headBefore and head are the heads before and after the request, and the new revisions lie between them',
    check: async (bench) => {
      const device = bench.device()
      await device.push(device.put('e0'))
      const before = await device.head()
      const ops = ['e1', 'e2'].map((id) => device.put(id))
      const pushed = await device.pushWith({ sinceCursor: before }, ...ops)
      expectEqual('headBefore', pushed.headBefore, before)
      expectEqual('head', pushed.head, await device.head())
      expectEqual('revisions', pushed.revisions(...ops), [before + 1, before + 2])
    },
  },
  {
    id: 'push/conflict',
    section: '8',
    holds:
      'a conflict names its entity and carries the operation as it was pushed, without keys nobody knows',
    check: async (bench) => {
      const device = bench.device()
      const op = device.put('e1', { v: 1 }, { entityVersion: 7, timestampMs: -5 })
      const body = device.request([{ ...op, unknown: 1 }])
      const { conflicts } = await device.call('push', body)
      const [conflict] = conflicts
      if (conflict === undefined) throw new RuleFailure('a conflict', 'none')
      expectEqual('clientOp', conflict.clientOp, op)
      const named = [conflict.collection, conflict.entityId]
      expectEqual('collection and entityId', named, [device.collection, 'e1'])
    },
  },
  {
    id: 'push/conflict-schema-version',
    section: '8',
    holds:
      'a conflict has the schemaVersion of the stored entity, and the pushed one and tx in the operation',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      await device.push(device.put('e1', { v: 1 }, { schemaVersion: 3 }))
      const stale = device.put('e1', { v: 2 }, { schemaVersion: 8, tx: 3 })
      const pushed = await device.push(stale)
      expectEqual('serverState.schemaVersion', pushed.stateOf(stale).schemaVersion, 3)
      expectEqual('clientOp', pushed.answer.conflicts[0]?.clientOp, stale)
    },
  },
  {
    id: 'push/reason',
    section: '8',
    holds: 'the reason of a conflict with an old base is stale',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const stale = device.put('e1', {}, { entityVersion: 7 })
      expectEqual('reason', (await device.push(stale)).answer.conflicts[0]?.reason, 'stale')
    },
  },
  {
    id: 'push/no-merge',
    section: '1',
    holds:
      'the server never merges: of two edits of different fields on one revision the second is a conflict',
    check: async (bench) => {
      const device = bench.device()
      const other = bench.device({ collection: device.collection })
      const base = { entityVersion: await device.commit(device.put('e1', { a: 1, b: 1 })) }
      await device.push(device.put('e1', { a: 2, b: 1 }, base))
      const edit = other.put(
        'e1',
        { a: 1, b: 2 },
        { ...base, timestampMs: Number.MAX_SAFE_INTEGER },
      )
      const pushed = await other.push(edit)
      expectEqual('outcome', pushed.outcomeOf(edit), 'conflict')
      const state = pushed.stateOf(edit).entityCbor
      expectEqual('entityCbor of the server', state, entityOf('e1', { a: 2, b: 1 }))
    },
  },
  {
    id: 'push/race',
    section: '8',
    holds: 'of pushes of many devices on one entity at once exactly one is committed',
    check: async (bench) => {
      const collection = bench.newCollection()
      const devices = Array.from({ length: 6 }, () => bench.device({ collection }))
      const outcomes = await Promise.all(
        devices.map(async (device) => {
          const op = device.put('e1', { by: device.id })
          return (await device.push(op)).outcomeOf(op)
        }),
      )
      const expected = ['committed', ...Array(5).fill('conflict')]
      expectEqual('outcomes', outcomes.sort(), expected)
    },
  },
  {
    id: 'push/race-of-repeats',
    section: '8.4',
    holds:
      'one push sent many times at once is written once, with the same revisions in every answer',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const ops = ['e1', 'e2', 'e3'].map((id) => device.put(id))
      const answers = await Promise.all(Array.from({ length: 5 }, () => device.push(...ops)))
      const [first] = answers
      for (const answer of answers) {
        expectEqual('revisions', answer.revisions(...ops), first?.revisions(...ops))
      }
      expectEqual('operations in the log', (await device.pullOwn(since)).length, ops.length)
    },
  },
  {
    id: 'push/rejection-message',
    section: '8',
    holds: 'a rejection has a code and a message for people',
    needs: ['rejections'],
    check: async (bench) => {
      const device = bench.device()
      const { answer } = await device.push(device.put('e1', {}, { entityCbor: bytesOf('ff') }))
      const [rejection] = answer.rejected ?? []
      expectThat((rejection?.message ?? '') !== '', 'a message', rejection)
    },
  },
  {
    id: 'push/rejected-op-id',
    section: '8.2',
    holds: 'the opId of a rejected operation may be used again with other content',
    needs: ['rejections'],
    check: async (bench) => {
      const device = bench.device()
      const bad = device.put('e1', {}, { entityCbor: bytesOf('ff') })
      expectEqual('outcome', (await device.push(bad)).outcomeOf(bad), 'rejected')
      const good = { ...bad, entityCbor: entityOf('e1') }
      expectEqual(
        'outcome of other content',
        (await device.push(good)).outcomeOf(good),
        'committed',
      )
    },
  },
]
