/** Revisions and bases, the accept rule and the no-op rule: section 3. */
import { expectEqual, expectThat } from '../expectations.ts'
import { entityOf, opIdsOf } from '../operation.ts'
import type { Rule } from '../rule.ts'

export const revisionRules: readonly Rule[] = [
  {
    id: 'revisions/next-cursor',
    section: '3',
    holds:
      'every accepted operation gets the next cursor, which is its revision in the answer and in pulls',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const ops = ['e1', 'e2', 'e3'].map((id) => device.put(id))
      const pushed = await device.push(...ops)
      const first = pushed.headBefore + 1
      expectEqual('revisions', pushed.revisions(...ops), [first, first + 1, first + 2])
      expectEqual('head', pushed.head, first + 2)
      const pulled = await device.pullOwn(since)
      const revisions = pulled.map(({ entityVersion }) => entityVersion)
      expectEqual('entityVersion, pulled', revisions, pushed.revisions(...ops))
    },
  },
  {
    id: 'revisions/current',
    section: '3',
    holds: 'a put or delete on the current revision is accepted at a greater one',
    check: async (bench) => {
      const device = bench.device()
      const first = await device.commit(device.put('e1', { v: 1 }))
      const second = await device.commit(device.put('e1', { v: 2 }, { entityVersion: first }))
      expectThat(second > first, `a revision above ${first}`, second)
      const third = await device.commit(device.delete('e1', second))
      expectThat(third > second, `a revision above ${second}`, third)
    },
  },
  {
    id: 'revisions/stale-put',
    section: '3',
    holds:
      'a put on an older revision, on 0 or on one that never was is a conflict with the current state',
    check: async (bench) => {
      const device = bench.device()
      const first = await device.commit(device.put('e1', { v: 1 }))
      const second = await device.commit(device.put('e1', { v: 2 }, { entityVersion: first }))
      const current = { entityVersion: second, entityCbor: entityOf('e1', { v: 2 }) }
      for (const base of [first, 0, second - 1, second + 1, second + 1_000]) {
        const op = device.put('e1', { v: 3 }, { entityVersion: base })
        const pushed = await device.push(op)
        expectEqual(`outcome on base ${base}`, pushed.outcomeOf(op), 'conflict')
        expectEqual(`serverState on base ${base}`, pushed.stateOf(op), current)
      }
    },
  },
  {
    id: 'revisions/stale-delete',
    section: '3',
    holds: 'a delete on another revision than the current one of a live entity is a conflict',
    check: async (bench) => {
      const device = bench.device()
      const first = await device.commit(device.put('e1'))
      for (const base of [0, first + 1]) {
        const op = device.delete('e1', base)
        const pushed = await device.push(op)
        const expected = { entityVersion: first, entityCbor: entityOf('e1') }
        expectEqual(`serverState on base ${base}`, pushed.stateOf(op), expected)
      }
    },
  },
  {
    id: 'revisions/absent',
    section: '3',
    holds: 'a put on a revision of what never was is a conflict with the state {0, null}',
    check: async (bench) => {
      const device = bench.device()
      const op = device.put('e1', {}, { entityVersion: 7 })
      const pushed = await device.push(op)
      expectEqual('outcome', pushed.outcomeOf(op), 'conflict')
      expectEqual('serverState', pushed.stateOf(op), { entityVersion: 0, entityCbor: null })
    },
  },
  {
    id: 'revisions/tombstone',
    section: '3',
    holds:
      'a tombstone has a revision of its own: a put on an older one is a conflict with {it, null}',
    check: async (bench) => {
      const device = bench.device()
      const first = await device.commit(device.put('e1', { v: 1 }))
      const died = await device.commit(device.delete('e1', first))
      expectThat(died > first, `a revision above ${first}`, died)
      for (const base of [first, 0]) {
        const op = device.put('e1', { v: 2 }, { entityVersion: base })
        const state = (await device.push(op)).stateOf(op)
        expectEqual(`serverState on base ${base}`, state, { entityVersion: died, entityCbor: null })
      }
    },
  },
  {
    id: 'revisions/created-again',
    section: '3',
    holds:
      'a put on the revision of the tombstone creates the entity again, at a revision never used before',
    check: async (bench) => {
      const device = bench.device()
      const first = await device.commit(device.put('e1', { v: 1 }))
      const died = await device.commit(device.delete('e1', first))
      const third = await device.commit(device.put('e1', { v: 1 }, { entityVersion: died }))
      expectThat(third > died, `a revision above ${died}`, third)
    },
  },
  {
    id: 'revisions/no-op-put',
    section: '3',
    holds:
      'a put of the same bytes is committed at the current revision whatever its base, with no new cursor',
    check: async (bench) => {
      const device = bench.device()
      const revision = await device.commit(device.put('e1', { v: 1 }))
      for (const base of [revision, 0, 7, revision + 5]) {
        const op = device.put('e1', { v: 1 }, { entityVersion: base })
        const pushed = await device.push(op)
        expectEqual(`revision on base ${base}`, pushed.revisionOf(op), revision)
        expectEqual(`head after base ${base}`, pushed.head, pushed.headBefore)
      }
    },
  },
  {
    id: 'revisions/other-version',
    section: '3',
    holds:
      'a put of the same bytes of another schemaVersion is no no-op: it is accepted on the current revision only',
    check: async (bench) => {
      const device = bench.device()
      const revision = await device.commit(device.put('e1', { v: 1 }))
      const op = (base: number) =>
        device.put('e1', { v: 1 }, { entityVersion: base, schemaVersion: 2 })
      const stale = op(0)
      const refused = await device.push(stale)
      expectEqual('reasons on base 0', refused.reasons(stale), ['stale'])
      const next = await device.commit(op(revision))
      expectThat(next > revision, `a revision above ${revision}`, next)
    },
  },
  {
    id: 'revisions/no-op-delete',
    section: '3',
    holds:
      'a delete of what is deleted or absent is committed at the revision of the tombstone or 0, with no new cursor',
    check: async (bench) => {
      const device = bench.device()
      const first = await device.commit(device.put('e1'))
      const died = await device.commit(device.delete('e1', first))
      for (const base of [first, died, 0]) {
        const [again, absent] = [device.delete('e1', base), device.delete('e2', base)]
        const pushed = await device.push(again, absent)
        expectEqual(`revisions on base ${base}`, pushed.revisions(again, absent), [died, 0])
        expectEqual(`head after base ${base}`, pushed.head, pushed.headBefore)
      }
    },
  },
  {
    id: 'revisions/no-op-hidden',
    section: '3',
    holds: 'a no-op is not in pulls: the log holds what changed something',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const born = device.put('e1')
      await device.push(born)
      await device.push(device.put('e1', {}, { entityVersion: 7 }), device.delete('e2', 0))
      const pulled = await device.pullOwn(since)
      expectEqual('opIds, pulled', opIdsOf(pulled), [born.opId])
    },
  },
  {
    id: 'revisions/collections-apart',
    section: '3',
    holds: 'the same entityId in two collections is two entities',
    check: async (bench) => {
      const device = bench.device()
      const collection = bench.newCollection()
      const [one, two] = [device.put('e1', { v: 1 }), device.put('e1', { v: 2 }, { collection })]
      const pushed = await device.push(one, two)
      pushed.expectCommitted(one, two)
    },
  },
  {
    id: 'revisions/conflict-writes-nothing',
    section: '3',
    holds: 'a conflict writes nothing: the entity, the head and the log stay as they are',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const revision = await device.commit(device.put('e1', { v: 1 }))
      const stale = device.put('e1', { v: 2 })
      const pushed = await device.push(stale)
      expectEqual('head', pushed.head, pushed.headBefore)
      const pulled = await device.pullOwn(since)
      expectEqual(
        'log',
        pulled.map(({ opId, entityVersion }) => [opId, entityVersion]),
        [[1, revision]],
      )
    },
  },
]
