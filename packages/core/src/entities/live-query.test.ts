import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { nextTurn } from '../store/next-turn.test-kit.ts'
import { Random } from '../store/random.ts'
import { SimulatedDisk } from '../store/simulated-disk.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { defineCollection } from './collection-definition.ts'
import { versionOf } from './entity-version.ts'
import type { LiveChange } from './live-changes.ts'
import {
  heard,
  home,
  idsOf,
  openCount,
  openOn,
  type Task,
  task,
  turn,
  useTasks,
} from './live-tasks.test-kit.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import { replication } from './replication-access.ts'

const fixture = useTasks()

describe('snapshot', () => {
  test('a store that answers at once -> there at once, the same array until the result changes', async () => {
    const tasks = fixture.db.collection('tasks')
    await tasks.put(task('1'))
    const live = tasks.live(home)
    const first = live.getSnapshot()
    expect(first).toEqual([task('1')])
    expect(first?.[0]).toBe(await tasks.get('1'))
    await tasks.put(task('other', 0, 'work'))
    await fixture.db.collection('notes').put({ id: '1' })
    expect(live.getSnapshot()).toBe(first)
    await tasks.put(task('2', -1))
    expect(live.getSnapshot()).not.toBe(first)
    expect(idsOf(live.getSnapshot())).toEqual(['2', '1'])
    expect(first).toEqual([task('1')])
  })

  test('a store that takes its time -> undefined first, then told to who subscribed', async () => {
    const slow = await openOn(naiveStorage({ async: true }))
    const tasks = slow.collection('tasks')
    await tasks.put(task('1'))
    const live = tasks.live(home)
    const { changes } = heard(live)
    expect(live.getSnapshot()).toBeUndefined()
    const items = await live.ready
    expect(live.getSnapshot()).toBe(items)
    await turn()
    expect(changes).toEqual([
      {
        items,
        changes: { added: [{ entity: task('1'), index: 0 }], removed: [], changed: [], moved: [] },
      },
    ])
    await slow.close()
  })

  test('a list that somebody spoilt -> the next one is right', async () => {
    const tasks = fixture.db.collection('tasks')
    await tasks.putMany([task('1', 1), task('2', 2)])
    const live = tasks.live(home)
    ;(live.getSnapshot() as Task[]).reverse()
    await tasks.put(task('3', 3))
    expect(idsOf(live.getSnapshot())).toEqual(['1', '2', '3'])
  })

  test('a date that somebody changed -> neither order nor another live query is touched', async () => {
    const tasks = fixture.db.collection('tasks')
    const query = { orderBy: { due: 'asc' } } as const
    await tasks.putMany([1, 2, 3].map((n) => ({ ...task(`${n}`), due: new Date(n) })))
    const [live, other] = [tasks.live(query), tasks.live(query)]
    await tasks.put({ ...task('4'), due: new Date(4) })
    for (const { due } of live.getSnapshot() ?? []) due?.setTime(0)
    await tasks.delete('2')
    await tasks.put({ ...task('5'), due: new Date(1) })
    expect(idsOf(live.getSnapshot())).toEqual(['1', '5', '3', '4'])
    expect(other.getSnapshot()?.map(({ due }) => due?.getTime())).toEqual([1, 1, 3, 4])
  })

  test('written again with the same content -> the same object, which counts as the new version', async () => {
    const tasks = fixture.db.collection('tasks')
    await tasks.put(task('1'))
    const live = tasks.live(home)
    const { changes } = heard(live)
    const [held] = live.getSnapshot() ?? []
    await tasks.put(task('1'))
    await fixture.db.transaction((tx) => tx.replica.touch('tasks', '1'))
    expect(changes).toEqual([])
    expect(live.getSnapshot()?.[0]).toBe(held)
    await tasks.put(task('1', 5), { ifVersion: versionOf(held) })
    expect(changes).toHaveLength(1)
  })
})

describe('notifications', () => {
  test('a transaction -> one, with everything in it; one that throws -> none', async () => {
    const tasks = fixture.db.collection('tasks')
    await tasks.putMany([task('1', 1), task('2', 2), task('3', 3)])
    const { changes } = heard(tasks.live(home))
    await fixture.db.transaction(async (tx) => {
      const inside = tx.collection('tasks')
      await inside.put(task('4', 0))
      await inside.delete('1')
      await inside.put(task('2', 9))
      await inside.put(task('5', 5))
      await inside.delete('5')
    })
    const failing = fixture.db.transaction(async (tx) => {
      await tx.collection('tasks').put(task('9'))
      throw new Error('undone')
    })
    await expect(failing).rejects.toThrow('undone')
    expect(changes).toEqual([
      {
        items: [task('4', 0), task('3', 3), task('2', 9)],
        changes: {
          added: [{ entity: task('4', 0), index: 0 }],
          removed: [{ entity: task('1', 1), index: 0 }],
          changed: [{ entity: task('2', 9), previous: task('2', 2), index: 2 }],
          moved: [{ entity: task('2', 9), from: 1, to: 2 }],
        },
      },
    ])
  })

  test('a limit -> the next in order comes in, also when more than the reserve goes', async () => {
    const tasks = fixture.db.collection('tasks')
    const all = Array.from({ length: 100 }, (_, i) => task(`${i + 100}`, i))
    await tasks.putMany(all)
    const { changes } = heard(tasks.live({ ...home, limit: 2 }))
    await tasks.delete('100')
    expect(changes.at(-1)?.changes).toEqual({
      added: [{ entity: all[2], index: 1 }],
      removed: [{ entity: all[0], index: 0 }],
      changed: [],
      moved: [],
    })
    await tasks.put(task('150', 1000))
    expect(changes).toHaveLength(1)
    await fixture.db.transaction(async (tx) => {
      for (const { id } of all.slice(1, 60)) await tx.collection('tasks').delete(id)
    })
    expect(idsOf(changes.at(-1)?.items)).toEqual(['160', '161'])
    expect(changes).toHaveLength(2)
  })

  test('replicated states -> told; what only settles an edit -> not', async () => {
    const tasks = fixture.db.collection('tasks')
    const { changes } = heard(tasks.live(home))
    const bytes = encodeEntity(task('1'))
    const remote = { collection: 'tasks', entityId: '1', schemaVersion: 1 }
    await fixture.db.transaction((tx) => tx.applyRaw({ ...remote, version: 1, bytes }))
    const { opIds } = await tasks.put(task('1', 1))
    const committed = { version: 2, schemaVersion: 1, bytes: encodeEntity(task('1', 1)) }
    await fixture.db.transaction((tx) => tx.replica.settle('tasks', '1', committed, opIds[0] ?? 0))
    await fixture.db.transaction((tx) => tx.replica.evict('tasks', '1'))
    expect(changes.map(({ items }) => items)).toEqual([[task('1')], [task('1', 1)], []])
  })

  test('a system collection -> can be watched', async () => {
    const opened = await replication(fixture.db).openSystemCollections({
      _marks: defineCollection<Task>(),
    })
    const live = opened._marks.live({ where: { list: 'home' } })
    await opened._marks.put(task('1'))
    expect(idsOf(live.getSnapshot())).toEqual(['1'])
  })

  test('several commits in one flush -> one for each, in order', async () => {
    const disk = new SimulatedDisk(new Random(1)).mount({ flushDelay: nextTurn })
    const slow = await openOn(treeStorage(disk))
    const tasks = slow.collection('tasks')
    const live = tasks.live({ ...home, limit: 1 })
    await live.ready
    const { changes } = heard(live)
    await Promise.all([3, 2, 1].map((rank) => tasks.put(task(`${rank}`, rank))))
    expect(changes.map(({ items }) => idsOf(items))).toEqual([['3'], ['2'], ['1']])
    await slow.close()
  })

  test('two listeners, two queries -> all told, each after every snapshot shows the commit', async () => {
    const tasks = fixture.db.collection('tasks')
    const [one, two] = [tasks.live(home), tasks.live({ where: { id: '1' } })]
    const seen: unknown[] = []
    const look = () => seen.push([idsOf(one.getSnapshot()), idsOf(two.getSnapshot())])
    one.subscribe(look)
    one.subscribe(look)
    two.subscribe(look)
    await tasks.put(task('1'))
    expect(seen).toEqual([1, 2, 3].map(() => [['1'], ['1']]))
  })

  test('the same listener twice -> told twice, until each subscription is ended', async () => {
    const tasks = fixture.db.collection('tasks')
    const live = tasks.live(home)
    let count = 0
    const listener = () => count++
    const [stop, stopOther] = [live.subscribe(listener), live.subscribe(listener)]
    await tasks.put(task('1'))
    stop()
    stop()
    await tasks.put(task('2'))
    stopOther()
    await tasks.put(task('3'))
    expect(count).toBe(3)
  })

  test('a listener that throws -> the others and the commit go on, the host hears of it', async () => {
    const tasks = fixture.db.collection('tasks')
    const live = tasks.live(home)
    live.subscribe(() => {
      throw new Error('of the listener')
    })
    const { changes } = heard(live)
    await tasks.put(task('1'))
    await tasks.put(task('2'))
    expect(changes).toHaveLength(2)
    await turn()
    expect(fixture.uncaught.map(String)).toEqual([
      'Error: of the listener',
      'Error: of the listener',
    ])
  })

  test('a listener that writes -> its commit is told in turn', async () => {
    const tasks = fixture.db.collection('tasks')
    const live = tasks.live(home)
    const sizes: number[] = []
    let written: Promise<unknown> = Promise.resolve()
    live.subscribe(({ items }) => {
      sizes.push(items.length)
      if (items.length < 4) written = tasks.put(task(`${items.length}`))
    })
    await tasks.put(task('x'))
    while (sizes.length < 4) await written
    expect(sizes).toEqual([1, 2, 3, 4])
  })

  test('a listener that closes and unsubscribes -> who comes after it is not told', async () => {
    const tasks = fixture.db.collection('tasks')
    const live = tasks.live(home)
    const stops: (() => void)[] = []
    live.subscribe(() => stops[0]?.())
    const second = heard(live)
    stops.push(second.stop)
    live.subscribe(() => live.close())
    const last = heard(live)
    await tasks.put(task('1'))
    expect([second.changes, last.changes]).toEqual([[], []])
  })
})

describe('a live query that begins while somebody writes', () => {
  test('inside a transaction that has written -> what it commits is told', async () => {
    const tasks = fixture.db.collection('tasks')
    await tasks.put(task('0'))
    const seen: (readonly string[] | undefined)[] = []
    await fixture.db.transaction(async (tx) => {
      await tx.collection('tasks').put(task('1', 1))
      const live = tasks.live(home)
      expect(idsOf(await live.ready)).toEqual(['0'])
      live.subscribe(({ items }) => seen.push(idsOf(items)))
      await tx.collection('tasks').put(task('2', 2))
    })
    await tasks.put(task('3', 3))
    expect(seen).toEqual([
      ['0', '1', '2'],
      ['0', '1', '2', '3'],
    ])
  })

  test('while commits are flushed -> none is missing', async () => {
    const disk = new SimulatedDisk(new Random(1)).mount({ flushDelay: nextTurn })
    const slow = await openOn(treeStorage(disk))
    const tasks = slow.collection('tasks')
    const writes = ['1', '2'].map((id) => tasks.put(task(id)))
    await Promise.resolve()
    const live = tasks.live(home)
    writes.push(tasks.put(task('3')))
    await Promise.all(writes)
    await live.ready
    expect(idsOf(live.getSnapshot())).toEqual(['1', '2', '3'])
    await slow.close()
  })
})

describe('iteration', () => {
  test('the first result, then changes; a slow reader -> one change for all that it missed', async () => {
    const tasks = fixture.db.collection('tasks')
    await tasks.put(task('0', 0))
    const live = tasks.live(home)
    const steps = live[Symbol.asyncIterator]()
    expect((await steps.next()).value).toMatchObject({ changes: { added: [{ index: 0 }] } })
    for (let i = 1; i <= 100; i++) await tasks.put(task(`${i}`, i))
    await tasks.delete('50')
    const { value } = await steps.next()
    const change = value as LiveChange<Task>
    expect(change.items).toBe(live.getSnapshot())
    expect(change.changes.added).toHaveLength(99)
    expect(change.changes.removed).toEqual([])
    // There and gone again: nothing to tell.
    await tasks.put(task('x'))
    const waiting = steps.next()
    await tasks.delete('x')
    expect(await waiting).toMatchObject({
      value: { changes: { added: [{ entity: { id: 'x' } }] } },
    })
    expect(await steps.next()).toMatchObject({
      value: { changes: { removed: [{ entity: { id: 'x' } }] } },
    })
  })

  test('leaving the loop -> the live query stays open', async () => {
    const tasks = fixture.db.collection('tasks')
    const live = tasks.live(home)
    for await (const { items } of live) {
      expect(items).toEqual([])
      break
    }
    await tasks.put(task('1'))
    for await (const { items } of live) {
      expect(idsOf(items)).toEqual(['1'])
      break
    }
    expect(await openCount(fixture.db)).toBe(1)
  })

  test('return while a step waits -> both end', async () => {
    const steps = fixture.db.collection('tasks').live(home)[Symbol.asyncIterator]()
    await steps.next()
    const waiting = steps.next()
    await turn()
    expect(await steps.return?.()).toEqual({ done: true, value: undefined })
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(await steps.next()).toEqual({ done: true, value: undefined })
  })

  test.each<[string, (live: { close(): void }, abort: AbortController) => unknown]>([
    ['close', (live) => live.close()],
    ['abort', (_, abort) => abort.abort()],
    ['the database closes', () => fixture.db.close()],
  ])('%s -> the loop ends, nothing is told any more', async (_, end) => {
    const tasks = fixture.db.collection('tasks')
    const abort = new AbortController()
    const live = tasks.live(home, { signal: abort.signal })
    const { changes } = heard(live)
    const seen: unknown[] = []
    const loop = (async () => {
      for await (const { items } of live) seen.push(idsOf(items))
    })()
    await tasks.put(task('1'))
    await turn()
    await end(live, abort)
    await loop
    expect(seen).toEqual([[], ['1']])
    expect(changes).toHaveLength(1)
    expect(idsOf(live.getSnapshot())).toEqual(['1'])
    expect(await live.ready).toBe(live.getSnapshot())
    for await (const _change of live) throw new Error('it is over')
  })
})
