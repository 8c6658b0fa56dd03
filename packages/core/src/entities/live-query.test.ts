import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import { Random } from '../store/random.test-kit.ts'
import { SimulatedDisk } from '../store/simulated-disk.test-kit.ts'
import { treeStorage } from '../store/tree-store.ts'
import { type CollectionDefinition, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { versionOf } from './entity-version.ts'
import type { LiveChange } from './live-changes.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import type { Query } from './query.ts'
import { replication } from './replication-access.ts'

interface Task {
  id: string
  list: string
  rank: number
  due?: Date
}

type Definitions = { tasks: CollectionDefinition<Task>; notes: CollectionDefinition }

const task = (id: string, rank = 0, list = 'home'): Task => ({ id, list, rank })
const home: Query<Task> = { where: { list: 'home' }, orderBy: { rank: 'asc' } }
const idsOf = (items: readonly { readonly id: string }[] | undefined) => items?.map(({ id }) => id)

function openOn(storage = memoryStorage()): Promise<EntiDB<Definitions>> {
  return EntiDB.open({
    storage,
    collections: {
      tasks: defineCollection<Task>({ indexes: { list: ['list', 'rank'] } }),
      notes: defineCollection(),
    },
  })
}

let db: EntiDB<Definitions>
/** Errors that nobody else got. */
let uncaught: unknown[]
const keep = (error: unknown): void => {
  uncaught.push(error)
}

/** Until everything that is settled has been told. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

beforeEach(async () => {
  uncaught = []
  process.on('unhandledRejection', keep)
  db = await openOn()
})

afterEach(async () => {
  await db.close()
  await turn()
  process.off('unhandledRejection', keep)
})

async function openCount(): Promise<number> {
  return (await db.stats()).liveQueries
}

function heard(live: { subscribe: (listener: (change: LiveChange<Task>) => void) => () => void }) {
  const changes: LiveChange<Task>[] = []
  const stop = live.subscribe((change) => changes.push(change))
  return { changes, stop }
}

describe('snapshot', () => {
  test('a store that answers at once -> there at once, the same array until the result changes', async () => {
    const tasks = db.collection('tasks')
    await tasks.put(task('1'))
    const live = tasks.live(home)
    const first = live.getSnapshot()
    expect(first).toEqual([task('1')])
    expect(first?.[0]).toBe(await tasks.get('1'))
    await tasks.put(task('other', 0, 'work'))
    await db.collection('notes').put({ id: '1' })
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
    const tasks = db.collection('tasks')
    await tasks.putMany([task('1', 1), task('2', 2)])
    const live = tasks.live(home)
    ;(live.getSnapshot() as Task[]).reverse()
    await tasks.put(task('3', 3))
    expect(idsOf(live.getSnapshot())).toEqual(['1', '2', '3'])
  })

  test('a date that somebody changed -> neither order nor another live query is touched', async () => {
    const tasks = db.collection('tasks')
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
    const tasks = db.collection('tasks')
    await tasks.put(task('1'))
    const live = tasks.live(home)
    const { changes } = heard(live)
    const [held] = live.getSnapshot() ?? []
    await tasks.put(task('1'))
    await db.transaction((tx) => tx.replica.touch('tasks', '1'))
    expect(changes).toEqual([])
    expect(live.getSnapshot()?.[0]).toBe(held)
    await tasks.put(task('1', 5), { ifVersion: versionOf(held) })
    expect(changes).toHaveLength(1)
  })
})

describe('notifications', () => {
  test('a transaction -> one, with everything in it; one that throws -> none', async () => {
    const tasks = db.collection('tasks')
    await tasks.putMany([task('1', 1), task('2', 2), task('3', 3)])
    const { changes } = heard(tasks.live(home))
    await db.transaction(async (tx) => {
      const inside = tx.collection('tasks')
      await inside.put(task('4', 0))
      await inside.delete('1')
      await inside.put(task('2', 9))
      await inside.put(task('5', 5))
      await inside.delete('5')
    })
    const failing = db.transaction(async (tx) => {
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
    const tasks = db.collection('tasks')
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
    await db.transaction(async (tx) => {
      for (const { id } of all.slice(1, 60)) await tx.collection('tasks').delete(id)
    })
    expect(idsOf(changes.at(-1)?.items)).toEqual(['160', '161'])
    expect(changes).toHaveLength(2)
  })

  test('replicated states -> told; what only settles an edit -> not', async () => {
    const tasks = db.collection('tasks')
    const { changes } = heard(tasks.live(home))
    const bytes = encodeEntity(task('1'))
    const remote = { collection: 'tasks', entityId: '1', schemaVersion: 1 }
    await db.transaction((tx) => tx.applyRaw({ ...remote, version: 1, bytes }))
    const { opIds } = await tasks.put(task('1', 1))
    const committed = { version: 2, schemaVersion: 1, bytes: encodeEntity(task('1', 1)) }
    await db.transaction((tx) => tx.replica.settle('tasks', '1', committed, opIds[0] ?? 0))
    await db.transaction((tx) => tx.replica.evict('tasks', '1'))
    expect(changes.map(({ items }) => items)).toEqual([[task('1')], [task('1', 1)], []])
  })

  test('a system collection -> can be watched', async () => {
    const opened = await replication(db).openSystemCollections({ _marks: defineCollection<Task>() })
    const live = opened._marks.live({ where: { list: 'home' } })
    await opened._marks.put(task('1'))
    expect(idsOf(live.getSnapshot())).toEqual(['1'])
  })

  test('several commits in one flush -> one for each, in order', async () => {
    const disk = new SimulatedDisk(new Random(1)).mount({ isFlushSlow: true })
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
    const tasks = db.collection('tasks')
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
    const tasks = db.collection('tasks')
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
    const tasks = db.collection('tasks')
    const live = tasks.live(home)
    live.subscribe(() => {
      throw new Error('of the listener')
    })
    const { changes } = heard(live)
    await tasks.put(task('1'))
    await tasks.put(task('2'))
    expect(changes).toHaveLength(2)
    await turn()
    expect(uncaught.map(String)).toEqual(['Error: of the listener', 'Error: of the listener'])
  })

  test('a listener that writes -> its commit is told in turn', async () => {
    const tasks = db.collection('tasks')
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
    const tasks = db.collection('tasks')
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
    const tasks = db.collection('tasks')
    await tasks.put(task('0'))
    const seen: (readonly string[] | undefined)[] = []
    await db.transaction(async (tx) => {
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
    const disk = new SimulatedDisk(new Random(1)).mount({ isFlushSlow: true })
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
    const tasks = db.collection('tasks')
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
    const tasks = db.collection('tasks')
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
    expect(await openCount()).toBe(1)
  })

  test('return while a step waits -> both end', async () => {
    const steps = db.collection('tasks').live(home)[Symbol.asyncIterator]()
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
    ['the database closes', () => db.close()],
  ])('%s -> the loop ends, nothing is told any more', async (_, end) => {
    const tasks = db.collection('tasks')
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

describe('the end', () => {
  test('closed in every way, in every state -> none is open, nothing is left', async () => {
    const slow = await openOn(naiveStorage({ async: true }))
    const tasks = slow.collection('tasks')
    const aborted = AbortSignal.abort(new Error('before it began'))
    expect(() => tasks.live(home, { signal: aborted }).subscribe(() => {})).toThrow(
      'before it began',
    )
    const loading = tasks.live(home)
    const ready = loading.ready
    const step = loading[Symbol.asyncIterator]().next()
    loading.close()
    loading.close()
    await expect(ready).rejects.toMatchObject({ code: 'transaction_closed' })
    expect(await step).toEqual({ done: true, value: undefined })
    expect(loading.getSnapshot()).toBeUndefined()
    {
      using live = tasks.live({ limit: 1 })
      await live.ready
      const { changes } = heard(live)
      await tasks.put(task('1'))
      await turn()
      expect(changes).toHaveLength(1)
    }
    const abort = new AbortController()
    tasks.live(home, { signal: abort.signal }).subscribe(() => {})
    tasks.live({ where: { rank: { gte: 1 } } }, { signal: abort.signal })
    tasks.live({}, { signal: abort.signal })
    expect((await slow.stats()).liveQueries).toBe(3)
    abort.abort()
    await turn()
    const { liveQueries, store } = await slow.stats()
    expect([liveQueries, store.openSnapshots]).toEqual([0, 0])
    await slow.close()
  })

  test('after close -> subscribe throws transaction_closed, the snapshot stays', async () => {
    const live = db.collection('tasks').live(home)
    live.close()
    const subscribe = () => live.subscribe(() => {})
    expect(subscribe).toThrow(expect.objectContaining({ code: 'transaction_closed' }))
    expect(live.getSnapshot()).toEqual([])
  })

  test('the database closed -> subscribe and live throw database_closed', async () => {
    const tasks = db.collection('tasks')
    const live = tasks.live(home)
    await db.close()
    const code = expect.objectContaining({ code: 'database_closed' })
    expect(() => live.subscribe(() => {})).toThrow(code)
    expect(() => tasks.live(home)).toThrow(code)
  })

  test('a query that makes no sense -> invalid_query at once', () => {
    const tasks = db.collection('tasks')
    const code = expect.objectContaining({ code: 'invalid_query' })
    expect(() => tasks.live({ limit: -1 })).toThrow(code)
    expect(() => tasks.live({ select: ['id'] } as never)).toThrow(code)
    expect(() => tasks.live({ limit: 1, after: 'x' } as Query<Task>)).toThrow(code)
    expect(() => tasks.live(home).subscribe(undefined as never)).toThrow(TypeError)
  })
})

describe('a failure', () => {
  const failing: Query<Task> = {
    filter: ({ rank }) => {
      if (rank < 0) throw new Error('of the filter')
      return true
    },
  }

  test('a filter that throws -> onError, iterations and getSnapshot get it; the commit is not touched', async () => {
    const tasks = db.collection('tasks')
    const [live, other] = [tasks.live(failing), tasks.live(home)]
    const errors: unknown[] = []
    const { changes } = heard(live)
    live.subscribe(
      () => {},
      (error) => errors.push(error),
    )
    const loop = (async () => {
      for await (const _ of live);
    })()
    const looped = expect(loop).rejects.toThrow('of the filter')
    await tasks.put(task('1', -1))
    await looped
    expect(errors.map(String)).toEqual(['Error: of the filter'])
    expect(changes).toEqual([])
    expect(live.getSnapshot).toThrow('of the filter')
    expect(() => live.subscribe(() => {})).toThrow('of the filter')
    await expect(live.ready).rejects.toThrow('of the filter')
    expect(idsOf(other.getSnapshot())).toEqual(['1'])
    expect(await openCount()).toBe(1)
    await turn()
    expect(uncaught).toEqual([])
  })

  test('with nobody to hear of it -> the host does', async () => {
    const tasks = db.collection('tasks')
    heard(tasks.live(failing))
    await tasks.put(task('1', -1))
    await turn()
    expect(uncaught.map(String)).toEqual(['Error: of the filter'])
  })

  test('in the first result -> whoever subscribes at once gets it', async () => {
    const tasks = db.collection('tasks')
    await tasks.put(task('1', -1))
    const live = tasks.live(failing)
    const errors: unknown[] = []
    const stop = live.subscribe(
      () => {},
      (error) => errors.push(error),
    )
    expect(() => live.subscribe(() => {})).toThrow('of the filter')
    await turn()
    stop()
    expect(errors.map(String)).toEqual(['Error: of the filter'])
    expect(uncaught).toEqual([])
    expect(await openCount()).toBe(0)
  })

  test('the store cannot be read -> its error', async () => {
    const disk = new SimulatedDisk(new Random(1))
    const first = await openOn(treeStorage(disk.mount()))
    await first.collection('tasks').put(task('1'))
    await first.close()
    const damage = { reads: false }
    const failure = (operation: string, file: string) =>
      damage.reads && operation === 'read'
        ? new EntiDBError('io_failed', 'simulated', { details: { file, operation } })
        : undefined
    const mount = disk.mount({ isAsynchronous: true, failure })
    const damaged = await openOn(treeStorage(mount))
    damage.reads = true
    const live = damaged.collection('tasks').live(home)
    const errors: unknown[] = []
    live.subscribe(
      () => {},
      (error) => errors.push(error),
    )
    await expect(live.ready).rejects.toMatchObject({ code: 'io_failed' })
    expect(errors).toMatchObject([{ code: 'io_failed' }])
    damage.reads = false
    expect((await damaged.stats()).liveQueries).toBe(0)
    await damaged.close()
  })

  test('a commit that failed -> not told', async () => {
    let refuse = false
    const onCommit = () => {
      if (refuse) throw new EntiDBError('disk_full', 'simulated')
    }
    const full = await openOn(naiveStorage({ onCommit }))
    const tasks = full.collection('tasks')
    const live = tasks.live(home)
    const { changes } = heard(live)
    refuse = true
    await expect(tasks.put(task('1'))).rejects.toMatchObject({ code: 'disk_full' })
    refuse = false
    await tasks.put(task('2'))
    expect(changes.map(({ items }) => idsOf(items))).toEqual([['2']])
    await full.close()
  })
})

describe('a collection with migrations', () => {
  const migrations = {
    2: (old: object) => {
      if ('broken' in old) throw new Error('of the migration')
      return { rank: 0, ...old } as Task
    },
  }
  const older = (id: string, content: object) => ({
    ...{ collection: 'tasks', entityId: id, schemaVersion: 1, version: 1 },
    bytes: encodeEntity({ id, ...content }),
  })

  function openMigrated(): Promise<EntiDB<Pick<Definitions, 'tasks'>>> {
    const tasks = defineCollection<Task>({ version: 2, migrations })
    return EntiDB.open({ storage: memoryStorage(), collections: { tasks } })
  }

  test('an older state arrives -> shown as the code knows it; written anew as it is -> not told', async () => {
    const migrated = await openMigrated()
    const tasks = migrated.collection('tasks')
    const { changes } = heard(tasks.live({ where: { rank: 0 } }))
    await migrated.transaction((tx) => tx.applyRaw(older('1', { list: 'home' })))
    await tasks.put(task('1'))
    expect(changes.map(({ items }) => items)).toEqual([[task('1')]])
    await migrated.close()
  })

  test('one that no migration brings up -> fails the queries that have to read it, and no other', async () => {
    const migrated = await openMigrated()
    const tasks = migrated.collection('tasks')
    const [reads, passes] = [tasks.live({ where: { list: 'x' } }), tasks.live(home)]
    const errors: unknown[] = []
    reads.subscribe(
      () => {},
      (error) => errors.push(error),
    )
    await migrated.transaction((tx) => tx.applyRaw(older('1', { list: 'x', broken: true })))
    await turn()
    expect(errors).toMatchObject([{ code: 'migration_failed', details: { id: '1' } }])
    await tasks.put(task('1'))
    expect(passes.getSnapshot()).toEqual([task('1')])
    await migrated.close()
  })
})
