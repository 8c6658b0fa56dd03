import { describe, expect, test } from 'vitest'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import type { Query } from './query.ts'

interface Person {
  id: string
  name: string
  tags?: string[]
  address?: { city: string }
}

const collections = {
  people: defineCollection<Person>({ indexes: { byName: ['name', 'address.city'] } }),
  anything: defineCollection({ indexes: { any: ['whatever'] } }),
}

const takesAnyDatabase = (db: EntiDB): EntiDB => db

async function typed(): Promise<void> {
  const db = await EntiDB.open({ storage: memoryStorage(), collections })
  takesAnyDatabase(db)
  const people = db.collection('people')
  const person = await people.get('p1')
  const name: string | undefined = person?.name
  void name
  if (person !== undefined) await people.put({ ...person, name: 'Ada' }, { basedOn: person })
  const plain: Person | undefined = person
  void plain
  const receipt = await people.put({ id: 'p1', name: 'Ada', tags: ['x'] })
  const stored: string | undefined = receipt.entity?.name
  void stored
  await people.find({
    where: { name: { startsWith: 'A' }, 'address.city': 'Bern', tags: { has: 'x' } },
    orderBy: { name: 'desc' },
  })
  await people.find({ where: { or: [{ name: 'A' }, { not: { name: { gte: 'B' } } }] } })
  const live = people.live({ where: { name: 'A' }, orderBy: { 'address.city': 'asc' }, limit: 3 })
  live.subscribe(({ items, changes }) => {
    const first: Readonly<Person> | undefined = items[0]
    const added: string | undefined = changes.added[0]?.entity.name
    const place: number | undefined = changes.moved[0]?.to
    void [first, added, place]
  })
  const shown: readonly Readonly<Person>[] | undefined = live.getSnapshot()
  void shown
  // @ts-expect-error there is no such field
  people.live({ where: { age: 1 } })
  // @ts-expect-error a live query begins at the beginning
  people.live({ limit: 1, after: 'x' })
  // @ts-expect-error what a snapshot shows does not change
  db.snapshot().collection('people').live()
  const anything = await db.collection('anything').get('a')
  const field: unknown = anything?.whatever
  void field
  // @ts-expect-error there is no such collection
  db.collection('robots')
  // @ts-expect-error there is no such field
  void person?.age
  // @ts-expect-error a name is text
  await people.put({ id: 'p1', name: 1 })
  // @ts-expect-error an id is needed
  await people.put({ name: 'Ada' })
  // @ts-expect-error what was read is frozen
  if (person !== undefined) person.name = 'Bob'
  // @ts-expect-error a name is compared with text
  const wrongType: Query<Person> = { where: { name: { gt: 1 } } }
  // @ts-expect-error there is no such field
  const wrongField: Query<Person> = { where: { age: 1 } }
  // @ts-expect-error there is no such direction
  const wrongOrder: Query<Person> = { orderBy: { name: 'up' } }
  void [wrongType, wrongField, wrongOrder]
  defineCollection<Person>({
    version: 3,
    migrations: {
      2: (old) => ({ ...old, name: old.name ?? 'new' }),
      3: ({ label, ...old }: { id: string; label: string }): Person => ({ ...old, name: label }),
    },
  })
  // @ts-expect-error a migration keeps the id
  defineCollection<Person>({ version: 2, migrations: { 2: () => ({ name: 'x' }) } })
  // @ts-expect-error a migration is synchronous
  defineCollection<Person>({ version: 2, migrations: { 2: async (old) => ({ ...old }) } })
  // @ts-expect-error indexes name fields
  defineCollection<Person>({ indexes: { byAge: ['age'] } })
  await db.transaction(async (tx) => {
    const inside = await tx.collection('people').get('p1')
    const inner: string | undefined = inside?.name
    void inner
    // @ts-expect-error there is no such collection
    tx.collection('robots')
    // @ts-expect-error a transaction has nothing to wait for
    tx.collection('people').live()
  })
}

describe('types', () => {
  test('collections: named in open -> typed everywhere', () => {
    expect(typed).toBeTypeOf('function')
  })
})
