import { describe, expectTypeOf, test } from 'vitest'
import { type AnyEntity, defineCollection, type EntityOf } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'

interface Person {
  id: string
  name: string
  tags?: string[]
}

type RobotId = `robot-${number}`

interface Robot {
  id: RobotId
  model: string
}

const collections = {
  people: defineCollection<Person>({ indexes: { byName: ['name'] } }),
  robots: defineCollection<Robot>(),
  anything: defineCollection({ indexes: { any: ['whatever', 'nested.too'] } }),
}

const takesAnyDatabase = (db: EntiDB): EntiDB => db
const open = () => EntiDB.open({ storage: memoryStorage(), collections })

async function collectionsOfADatabase(): Promise<void> {
  const db = await open()
  takesAnyDatabase(db)
  const people = db.collection('people')
  expectTypeOf(await people.get('p1')).toEqualTypeOf<Readonly<Person> | undefined>()
  expectTypeOf(await people.getMany(['p1'])).toEqualTypeOf<(Readonly<Person> | undefined)[]>()
  const [plain]: readonly Person[] = await people.find()
  void plain
  expectTypeOf(await db.collection('anything').get('a')).toEqualTypeOf<
    Readonly<AnyEntity> | undefined
  >()
  expectTypeOf(await db.snapshot().collection('people').first()).toEqualTypeOf<
    Readonly<Person> | undefined
  >()
  await db.transaction(async (tx) => {
    const inside = tx.collection('people')
    expectTypeOf(await inside.get('p1')).toEqualTypeOf<Readonly<Person> | undefined>()
    // @ts-expect-error there is no such collection
    tx.collection('planets')
  })
  // @ts-expect-error there is no such collection
  db.collection('planets')
  // @ts-expect-error nor in a snapshot
  db.snapshot().collection('planets')
  const person = await people.get('p1')
  // @ts-expect-error there is no such field
  void person?.age
  // @ts-expect-error what was read is frozen
  if (person !== undefined) person.name = 'Bob'
  // @ts-expect-error there may be no such person
  void person.name
}

async function definitionsInPlace(): Promise<void> {
  const db = await EntiDB.open({
    storage: memoryStorage(),
    collections: { people: defineCollection<Person>(), anything: defineCollection() },
  })
  expectTypeOf(await db.collection('people').get('p1')).toEqualTypeOf<
    Readonly<Person> | undefined
  >()
  expectTypeOf(await db.collection('anything').get('a')).toEqualTypeOf<
    Readonly<AnyEntity> | undefined
  >()
  expectTypeOf<EntityOf<typeof collections.people>>().toEqualTypeOf<Person>()
  expectTypeOf<EntityOf<typeof collections.anything>>().toEqualTypeOf<AnyEntity>()
}

async function ids(): Promise<void> {
  const robots = (await open()).collection('robots')
  await robots.get('robot-1')
  await robots.delete('robot-1')
  // @ts-expect-error not the id of a robot
  await robots.get('p1')
  // @ts-expect-error not the id of a robot
  await robots.getMany(['robot-1', 'p1'])
  // @ts-expect-error not the id of a robot
  await robots.update('p1', (robot) => robot)
  // @ts-expect-error not the id of a robot
  await robots.find({ where: { id: 'p1' } })
  // @ts-expect-error not the id of a robot
  await robots.put({ id: 'p1', model: 'R2' })
  // @ts-expect-error an id is text
  await (await open()).collection('people').get(1)
}

async function writes(): Promise<void> {
  const people = (await open()).collection('people')
  const receipt = await people.put({ id: 'p1', name: 'Ada', tags: ['x'] })
  expectTypeOf(receipt.entity).toEqualTypeOf<Readonly<Person> | undefined>()
  const person = await people.get('p1')
  if (person !== undefined) await people.put({ ...person, name: 'Ada' }, { basedOn: person })
  await people.update('p1', (old) => ({ ...old, name: 'Ada' }))
  await people.putMany([{ id: 'p1', name: 'Ada' }])
  // @ts-expect-error a name is text
  await people.put({ id: 'p1', name: 1 })
  // @ts-expect-error there is no such field
  await people.put({ id: 'p1', name: 'Ada', nmae: 'Ada' })
  // @ts-expect-error a name is needed
  await people.insert({ id: 'p1' })
  // @ts-expect-error an id is needed
  await people.insert({ name: 'Ada' })
  // @ts-expect-error an id is needed
  await people.putMany([{ name: 'Ada' }])
  // @ts-expect-error a name is text
  await people.update('p1', (old) => ({ ...old, name: 1 }))
  // @ts-expect-error a whole entity is needed
  await people.update('p1', ({ name }) => ({ name }))
  await people.update('p1', (old) => {
    // @ts-expect-error what is there is frozen
    old.name = 'Ada'
    return old
  })
  // @ts-expect-error what is stored is frozen
  if (receipt.entity !== undefined) receipt.entity.name = 'Bob'
  // @ts-expect-error another entity is no base
  await people.put({ id: 'p1', name: 'Ada' }, { basedOn: { id: 'p1', model: 'R2' } })
}

function migrations(): void {
  const definition = defineCollection<Person>({
    version: 3,
    migrations: {
      2: (old) => ({ ...old, name: old.name ?? 'new' }),
      3: ({ label, ...old }: { id: string; label: string }): Person => ({ ...old, name: label }),
    },
  })
  expectTypeOf<EntityOf<typeof definition>>().toEqualTypeOf<Person>()
  // @ts-expect-error a migration keeps the id
  defineCollection<Person>({ version: 2, migrations: { 2: () => ({ name: 'x' }) } })
  // @ts-expect-error a migration is synchronous
  defineCollection<Person>({ version: 2, migrations: { 2: async (old) => ({ ...old }) } })
}

describe('types', () => {
  test('collections, ids, writes and migrations -> compiled as the comments say', () => {
    for (const uses of [collectionsOfADatabase, definitionsInPlace, ids, writes, migrations]) {
      expectTypeOf(uses).toBeFunction()
    }
  })
})
