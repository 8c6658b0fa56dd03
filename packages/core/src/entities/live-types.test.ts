import { describe, expectTypeOf, test } from 'vitest'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'

interface Person {
  id: string
  name: string
  address?: { city: string }
}

const collections = { people: defineCollection<Person>() }

async function liveQueries(): Promise<void> {
  const db = await EntiDB.open({ storage: memoryStorage(), collections })
  const people = db.collection('people')
  const live = people.live({ where: { name: 'A' }, orderBy: { 'address.city': 'asc' }, limit: 3 })
  live.subscribe(({ items, changes }) => {
    expectTypeOf(items).toEqualTypeOf<readonly Readonly<Person>[]>()
    expectTypeOf(changes.added[0]?.entity.name).toEqualTypeOf<string | undefined>()
    expectTypeOf(changes.moved[0]?.to).toEqualTypeOf<number | undefined>()
  })
  expectTypeOf(live.getSnapshot()).toEqualTypeOf<readonly Readonly<Person>[] | undefined>()
  // @ts-expect-error there is no such field
  people.live({ where: { age: 1 } })
  // @ts-expect-error a live query begins at the beginning
  people.live({ limit: 1, after: 'x' })
  // @ts-expect-error a live query answers whole entities
  people.live({ select: ['name'] })
  // @ts-expect-error what a snapshot shows does not change
  db.snapshot().collection('people').live()
}

describe('types of live queries', () => {
  test('as of the collection', () => {
    expectTypeOf(liveQueries).toBeFunction()
  })
})
