import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import { Random } from '../store/random.ts'
import { SimulatedDisk } from '../store/simulated-disk.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import {
  type Definitions,
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
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import type { Query } from './query.ts'

const fixture = useTasks()

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
    const live = fixture.db.collection('tasks').live(home)
    live.close()
    const subscribe = () => live.subscribe(() => {})
    expect(subscribe).toThrow(expect.objectContaining({ code: 'transaction_closed' }))
    expect(live.getSnapshot()).toEqual([])
  })

  test('the database closed -> subscribe and live throw database_closed', async () => {
    const tasks = fixture.db.collection('tasks')
    const live = tasks.live(home)
    await fixture.db.close()
    const code = expect.objectContaining({ code: 'database_closed' })
    expect(() => live.subscribe(() => {})).toThrow(code)
    expect(() => tasks.live(home)).toThrow(code)
  })

  test('a query that makes no sense -> invalid_query at once', () => {
    const tasks = fixture.db.collection('tasks')
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
    const tasks = fixture.db.collection('tasks')
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
    expect(await openCount(fixture.db)).toBe(1)
    await turn()
    expect(fixture.uncaught).toEqual([])
  })

  test('with nobody to hear of it -> the host does', async () => {
    const tasks = fixture.db.collection('tasks')
    heard(tasks.live(failing))
    await tasks.put(task('1', -1))
    await turn()
    expect(fixture.uncaught.map(String)).toEqual(['Error: of the filter'])
  })

  test('in the first result -> whoever subscribes at once gets it', async () => {
    const tasks = fixture.db.collection('tasks')
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
    expect(fixture.uncaught).toEqual([])
    expect(await openCount(fixture.db)).toBe(0)
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
