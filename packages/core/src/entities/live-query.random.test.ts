/** Random commits beside random live queries, against filter and sort of a plain map. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { Storage } from '../store/key-value-store.ts'
import { nextTurn } from '../store/next-turn.test-kit.ts'
import { Random } from '../store/random.ts'
import { SimulatedDisk } from '../store/simulated-disk.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { type AnyEntity, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import type { LiveChange } from './live-changes.ts'
import type { LiveQuery } from './live-query.ts'
import { type Effects, StepRunner, steps } from './live-steps.test-kit.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import { queries, someIndexes } from './queries.test-kit.ts'
import type { Query } from './query.ts'
import { naiveIds } from './query-oracle.test-kit.ts'
import { replication } from './replication-access.ts'

type Items = readonly AnyEntity[]
type Content = readonly string[]

/** Exactly, so that -0 is not 0 and 1n not 1. */
function contentOf(items: Items): Content {
  return items.map((entity) => [...encodeEntity(entity)].join())
}

/** Applies a change as `LiveChanges` says. */
function applied(before: Items, { changes }: LiveChange<AnyEntity>): Items {
  const leaving = new Set([
    ...changes.removed.map(({ index }) => index),
    ...changes.moved.map(({ from }) => from),
  ])
  const items = before.filter((_, index) => !leaving.has(index))
  const entering = [
    ...changes.added,
    ...changes.moved.map(({ entity, to }) => ({ entity, index: to })),
  ]
  entering.sort((a, b) => a.index - b.index)
  for (const { entity, index } of entering) items.splice(index, 0, entity)
  for (const { entity, index } of changes.changed) items[index] = entity
  return items
}

/** A live query, and all that it told. */
class Watcher {
  readonly query: Query<AnyEntity>
  readonly live: LiveQuery<AnyEntity>
  /** The first result, then that of each notification. */
  readonly seen: Items[] = []
  /** What a reader saw who iterates. */
  readonly iterated: Items[] = []
  readonly #iteration: Promise<void>

  constructor(query: Query<AnyEntity>, live: LiveQuery<AnyEntity>) {
    this.query = query
    this.live = live
    const first = live.getSnapshot()
    if (first !== undefined) this.seen.push(first)
    live.subscribe((change) => {
      expect(live.getSnapshot()).toBe(change.items)
      expect(applied(this.seen.at(-1) ?? [], change)).toEqual(change.items)
      this.#assertTrue(this.seen.at(-1) ?? [], change)
      this.seen.push(change.items)
    })
    this.#iteration = this.#iterate()
  }

  async close(): Promise<void> {
    this.live.close()
    await this.#iteration
  }

  async #iterate(): Promise<void> {
    for await (const change of this.live) {
      expect(applied(this.iterated.at(-1) ?? [], change)).toEqual(change.items)
      this.iterated.push(change.items)
    }
  }

  /** Nothing is said that is not so. */
  #assertTrue(before: Items, { items, changes }: LiveChange<AnyEntity>): void {
    const isBefore = (id: string) => before.some((entity) => entity.id === id)
    for (const { entity, index } of changes.added) {
      expect(items[index]).toBe(entity)
      expect(isBefore(entity.id)).toBe(false)
    }
    for (const { entity, index } of changes.removed) {
      expect(before[index]).toBe(entity)
      expect(items.some(({ id }) => id === entity.id)).toBe(false)
    }
    for (const { entity, previous, index } of changes.changed) {
      expect(items[index]).toBe(entity)
      expect(before).toContain(previous)
      expect(contentOf([entity])).not.toEqual(contentOf([previous]))
    }
    for (const { entity, from, to } of changes.moved) {
      expect([before[from]?.id, items[to]]).toEqual([entity.id, entity])
      expect(changes.changed.some((changed) => changed.entity === entity)).toBe(true)
    }
  }
}

class Model {
  readonly #entities = new Map<string, AnyEntity>()

  apply(effects: Effects): void {
    for (const [id, entity] of effects) {
      if (entity === null) this.#entities.delete(id)
      else this.#entities.set(id, entity)
    }
  }

  answer(query: Query<AnyEntity>): Content {
    const { filter = () => true, ...rest } = query
    const all = [...this.#entities.values()].filter((entity) => filter(entity))
    const ids = naiveIds(all, rest as unknown as Readonly<Record<string, unknown>>)
    return contentOf(ids.map((id) => this.#entities.get(id) as AnyEntity))
  }
}

function withoutRepeats(contents: readonly Content[]): readonly Content[] {
  return contents.filter(
    (content, i) => i === 0 || content.join('|') !== contents[i - 1]?.join('|'),
  )
}

const filters = fc.constantFrom(
  undefined,
  (entity: AnyEntity) => entity.a !== 1,
  (entity: AnyEntity) => entity.b !== undefined,
)

/** Many match: with a limit there is more than the result and its reserve. */
const broad = fc.record({
  where: fc.constantFrom({}, { id: { gte: '1' } }, { a: { ne: 1 } }),
  orderBy: fc.constantFrom(
    {},
    { id: 'desc' },
    { a: 'asc' },
    { a: 'desc', id: 'desc' },
    { c: 'asc' },
  ),
  limit: fc.integer({ min: 1, max: 6 }),
})

const watched = fc
  .tuple(fc.oneof(queries, broad), filters)
  .map(([query, filter]) => ({ ...query, filter }) as unknown as Query<AnyEntity>)

const disk = () =>
  treeStorage(
    new SimulatedDisk(new Random(1)).mount({ isAsynchronous: true, flushDelay: nextTurn }),
  )

const places: readonly {
  readonly store: string
  readonly createStorage: () => Storage
  readonly answersAtOnce: boolean
  readonly runs: number
}[] = [
  { store: 'tree', createStorage: memoryStorage, answersAtOnce: true, runs: 150 },
  {
    store: 'async',
    createStorage: () => naiveStorage({ async: true }),
    answersAtOnce: false,
    runs: 80,
  },
  { store: 'simulated disk', createStorage: disk, answersAtOnce: false, runs: 60 },
]

describe('live queries', () => {
  test.each(places)(
    'any commits, any queries, $store store -> every result once, in order, as filter and sort give it',
    async ({ createStorage, answersAtOnce, runs }) => {
      const asked = fc.array(watched, { minLength: 1, maxLength: 8 })
      // This part of them at the beginning, the others while commits are under way.
      const early = fc.constantFrom(0, 0, 0.5)
      await fc.assert(
        fc.asyncProperty(asked, early, steps, someIndexes, async (several, part, todo, chosen) => {
          const db: EntiDB = await EntiDB.open({
            storage: createStorage(),
            collections: { things: defineCollection({ indexes: Object.fromEntries(chosen) }) },
          })
          const things = db.collection('things')
          const watchers: Watcher[] = []
          const unopened = [...several]
          const open = (): void => {
            const query = unopened.shift()
            if (query !== undefined) watchers.push(new Watcher(query, things.live(query)))
          }
          while (unopened.length > several.length * (1 - part)) open()
          const runner = new StepRunner(db, 'things', open)
          const commits: { transactionId: number; shown: (Items | undefined)[] }[] = []
          replication(db).onCommit(({ transactionId }) => {
            const shown = watchers.map(({ live }) => live.getSnapshot())
            commits.push({ transactionId, shown })
          })
          for (const step of todo) await runner.run(step)
          while (unopened.length > 0) open()
          await Promise.all(watchers.map(({ live }) => live.ready))
          // A store that does not answer at once may still be behind.
          for (const { query, live } of watchers) {
            const answer = await things.find(query)
            await vi.waitFor(() => expect(live.getSnapshot()).toEqual(answer), { interval: 1 })
          }
          for (const [at, { query, seen }] of watchers.entries()) {
            const model = new Model()
            const states = [model.answer(query)]
            for (const { transactionId, shown } of commits) {
              model.apply(runner.effectsByTransaction.get(transactionId) ?? [])
              const answer = model.answer(query)
              states.push(answer)
              const items = shown[at]
              if (answersAtOnce && items !== undefined) expect(contentOf(items)).toEqual(answer)
            }
            const contents = seen.map(contentOf)
            // It was opened before one of the commits.
            const expected = states.map((_, first) => withoutRepeats(states.slice(first)))
            expect(expected).toContainEqual(contents)
          }
          for (const watcher of watchers) {
            await watcher.close()
            // A slow reader may skip some, but not the last one.
            expect(watcher.iterated.at(-1)).toEqual(watcher.seen.at(-1))
          }
          expect((await db.stats()).liveQueries).toBe(0)
          await db.close()
        }),
        { numRuns: runs },
      )
    },
  )
})
