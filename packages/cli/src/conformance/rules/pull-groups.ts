/** Groups as a reader sees them: section 7. */
import type { PullResponse, SyncOperation } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import type { Device } from '../device.ts'
import { expectEqual, expectThat } from '../expectations.ts'
import { opIdsOf } from '../operation.ts'
import type { Rule } from '../rule.ts'

interface Groups {
  readonly device: Device
  readonly since: number
  /** The opIds of each. */
  readonly groups: readonly (readonly number[])[]
}

/** Three groups of three operations, each in a request of its own, all under the same tx. */
async function threeGroups(bench: Bench): Promise<Groups> {
  const device = bench.device()
  const since = await device.head()
  const groups: number[][] = []
  for (let group = 0; group < 3; group++) {
    const ops = [0, 1, 2].map((i) => device.put(`e${group}-${i}`, {}, { tx: 0 }))
    await device.push(...ops)
    groups.push(opIdsOf(ops))
  }
  return { device, since, groups }
}

/** Equal `tx` in one author's consecutive operations is one group; without it each is alone. */
function groupsOf(ops: readonly SyncOperation[]): number[][] {
  const groups: number[][] = []
  ops.forEach((op, i) => {
    const before = ops[i - 1]
    const joins = op.tx !== undefined && before?.tx === op.tx && before.deviceId === op.deviceId
    const group = joins ? groups.at(-1) : undefined
    if (group === undefined) groups.push([op.opId])
    else group.push(op.opId)
  })
  return groups
}

const own = (device: Device, page: PullResponse): SyncOperation[] =>
  page.ops.filter(({ collection }) => collection === device.collection)

export const pullGroupRules: readonly Rule[] = [
  {
    id: 'pull/whole-groups',
    section: '7',
    holds: 'a page never ends inside a group, whatever the limit',
    needs: ['groups'],
    check: async (bench) => {
      const { device, since, groups } = await threeGroups(bench)
      for (const limit of [1, 2, 3, 4, 5, 8]) {
        for (const page of await device.pullPages(since, { limit })) {
          const ids = opIdsOf(own(device, page))
          const cut = groups.filter((group) => {
            const inside = group.filter((opId) => ids.includes(opId)).length
            return inside !== 0 && inside !== group.length
          })
          expectEqual(`groups cut by a page with limit ${limit}`, cut, [])
        }
      }
    },
  },
  {
    id: 'pull/group-numbers',
    section: '7',
    holds:
      'equal tx in consecutive operations of a page is one group, and two requests never look like one',
    needs: ['groups'],
    check: async (bench) => {
      const { device, since, groups } = await threeGroups(bench)
      expectEqual(
        'groups as a reader tells them apart',
        groupsOf(await device.pullOwn(since)),
        groups,
      )
    },
  },
  {
    id: 'pull/group-together',
    section: '7',
    holds: 'operations of a group that were not adjacent in the push follow each other in the log',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const ops = [0, 1, 2, 3, 4, 5].map((i) => device.put(`e${i}`, {}, { tx: i % 2 }))
      await device.push(...ops)
      const expected = [
        [1, 3, 5],
        [2, 4, 6],
      ]
      expectEqual(
        'groups as a reader tells them apart',
        groupsOf(await device.pullOwn(since)),
        expected,
      )
    },
  },
  {
    id: 'pull/alone',
    section: '7',
    holds: 'operations pushed without tx are no group: each is alone in the log',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      await device.push(device.put('e1'), device.put('e2'), device.put('e3', {}, { tx: 4 }))
      expectEqual('groups as a reader tells them apart', groupsOf(await device.pullOwn(since)), [
        [1],
        [2],
        [3],
      ])
    },
  },
  {
    id: 'pull/large-group',
    section: '7',
    holds: 'a group larger than the limit comes whole: the page exceeds the limit',
    needs: ['groups'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const ops = Array.from({ length: 9 }, (_, i) => device.put(`e${i}`, {}, { tx: 1 }))
      await device.push(...ops)
      const page = await device.pull(since, { limit: 2 })
      expectEqual('operations of the page', own(device, page).length, ops.length)
      expectThat(!page.hasMore, 'nothing more', page.hasMore)
    },
  },
]
