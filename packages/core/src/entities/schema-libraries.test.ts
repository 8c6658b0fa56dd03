import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { EntiDBError } from '../errors/entidb-error.ts'
import type { Collection } from './collection.ts'
import { defineCollection, type EntityOf } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import type { StandardSchema } from './standard-schema.ts'

interface Person {
  id: string
  name: string
  age?: number | undefined
  address: { city: string }
  phones: { number: string }[]
}

const zodSchema = z.strictObject({
  id: z.string(),
  name: z.string().min(2),
  age: z.number().optional(),
  address: z.strictObject({ city: z.string() }),
  phones: z.array(z.object({ number: z.string() })),
})

const valibotSchema = v.strictObject({
  id: v.string(),
  name: v.pipe(v.string(), v.minLength(2)),
  age: v.optional(v.number()),
  address: v.strictObject({ city: v.string() }),
  phones: v.array(v.object({ number: v.string() })),
})

const arktypeSchema = type({
  '+': 'reject',
  id: 'string',
  name: 'string >= 2',
  'age?': 'number | undefined',
  address: { city: 'string' },
  phones: type({ number: 'string' }).array(),
})

const schemas = { zod: zodSchema, valibot: valibotSchema, arktype: arktypeSchema } as const
const ada: Person = { id: 'p1', name: 'Ada', address: { city: 'Bern' }, phones: [] }

async function withPeople(
  schema: StandardSchema<unknown, Person>,
  run: (people: Collection<Person>) => Promise<void>,
): Promise<void> {
  const collections = { people: defineCollection({ schema, indexes: { byName: ['name'] } }) }
  const db = await EntiDB.open({ storage: memoryStorage(), collections })
  await run(db.collection('people'))
  expect((await db.verify()).problems).toEqual([])
  await db.close()
}

async function failureOf(write: Promise<unknown>): Promise<EntiDBError> {
  return write.then(
    () => expect.fail('the write was not refused'),
    (error: EntiDBError) => error,
  )
}

describe.each(Object.entries(schemas))('a schema of %s', (_, schema) => {
  test('an entity that fits -> stored as it is', async () => {
    await withPeople(schema, async (people) => {
      const whole = { ...ada, age: 36, phones: [{ number: '1' }] }
      await people.put(whole)
      expect(await people.get('p1')).toEqual(whole)
      await people.put({ ...ada, age: undefined })
      expect(await people.get('p1')).toStrictEqual(ada)
    })
  })

  test('one that does not -> schema_violation with every issue, and the library its own', async () => {
    await withPeople(schema, async (people) => {
      // @ts-expect-error a phone number is text
      const wrong: Person = { ...ada, name: 'A', phones: [{ number: '1' }, { number: 2 }] }
      const { code, details, cause, message } = await failureOf(people.put(wrong))
      expect(code).toBe('schema_violation')
      const issues = details.issues as readonly {
        readonly path: string
        readonly message: string
      }[]
      expect(issues.map(({ path }) => path).sort()).toEqual(['name', 'phones.1.number'])
      for (const issue of issues) expect(message).toContain(issue.message)
      const own = schema['~standard'].validate(wrong)
      expect(cause).toEqual('issues' in own ? own.issues : undefined)
      expect(await people.count()).toBe(0)
    })
  })

  test('every kind of local write -> checked', async () => {
    await withPeople(schema, async (people) => {
      await people.put(ada)
      const wrong = { ...ada, name: 'A' }
      const code = { code: 'schema_violation' }
      await expect(people.put(wrong)).rejects.toMatchObject(code)
      await expect(people.insert({ ...wrong, id: 'p2' })).rejects.toMatchObject(code)
      await expect(people.putMany([ada, wrong])).rejects.toMatchObject(code)
      await expect(people.update('p1', () => wrong)).rejects.toMatchObject(code)
      expect(await people.find()).toEqual([ada])
    })
  })

  test('a field that a strict schema does not name -> schema_violation', async () => {
    await withPeople(schema, async (people) => {
      const more = { ...ada, more: 1 }
      await expect(people.put(more)).rejects.toMatchObject({ code: 'schema_violation' })
    })
  })
})

describe('schemas that change what they are given', () => {
  const id = 'p1'
  test.each<[string, StandardSchema<unknown, { id: string }>, { id: string }]>([
    ['zod: a default', z.object({ id: z.string(), a: z.number().default(1) }), { id }],
    [
      'zod: a coercion',
      z.object({ id: z.string(), n: z.coerce.number() }),
      { id, n: '1' } as never,
    ],
    ['zod: a transform', z.object({ id: z.string().transform((text) => `${text}!`) }), { id }],
    ['zod: a dropped field', z.object({ id: z.string() }), { id, more: 1 } as never],
    ['valibot: a default', v.object({ id: v.string(), a: v.optional(v.number(), 1) }), { id }],
    ['valibot: a transform', v.object({ id: v.pipe(v.string(), v.toUpperCase()) }), { id }],
    ['valibot: a dropped field', v.object({ id: v.string() }), { id, more: 1 } as never],
    ['arktype: a default', type({ id: 'string', a: 'number = 1' }), { id }],
    ['arktype: a morph', type({ id: 'string.upper' }), { id }],
  ])('%s -> refused, and nothing is stored', async (_, schema, entity) => {
    const collections = { things: defineCollection<{ id: string }>({ schema }) }
    const db = await EntiDB.open({ storage: memoryStorage(), collections })
    const things = db.collection('things')
    await expect(things.put(entity)).rejects.toMatchObject({ code: 'schema_transforms' })
    expect(await things.count()).toBe(0)
    await db.close()
  })

  test('fields that it does not name, kept -> stored', async () => {
    const schema = z.looseObject({ id: z.string() })
    const db = await EntiDB.open({
      storage: memoryStorage(),
      collections: { zod: defineCollection({ schema }) },
    })
    await db.collection('zod').put({ id, more: 1 })
    expect(await db.collection('zod').get(id)).toEqual({ id, more: 1 })
    await db.close()
  })
})

test.each<[string, StandardSchema<unknown, Person>]>([
  ['zod', zodSchema.refine(async () => true)],
  [
    'valibot',
    v.pipeAsync(
      valibotSchema,
      v.checkAsync(async () => true),
    ),
  ],
])('a schema of %s that answers later -> TypeError', async (_, schema) => {
  await withPeople(schema, async (people) => {
    await expect(people.put(ada)).rejects.toThrow(TypeError)
    await expect(people.put(ada)).rejects.toThrow('synchronous')
  })
})

describe('types of schemas', () => {
  test('no other type named -> what the schema puts out', () => {
    const fromZod = defineCollection({
      schema: zodSchema,
      indexes: { a: ['name', 'address.city'] },
    })
    const fromValibot = defineCollection({ schema: valibotSchema, indexes: { a: ['name'] } })
    const fromArktype = defineCollection({ schema: arktypeSchema, indexes: { a: ['name'] } })
    expectTypeOf<EntityOf<typeof fromZod>>().toEqualTypeOf<Person>()
    expectTypeOf<EntityOf<typeof fromValibot>>().toEqualTypeOf<Person>()
    expectTypeOf<EntityOf<typeof fromArktype>>().toEqualTypeOf<Person>()
  })

  test('in the options of open -> typed there too', async () => {
    const db = await EntiDB.open({
      storage: memoryStorage(),
      collections: { people: defineCollection({ schema: zodSchema }) },
    })
    expectTypeOf(await db.collection('people').get('p1')).toEqualTypeOf<
      Readonly<Person> | undefined
    >()
    // @ts-expect-error there is no such field
    await db.collection('people').find({ where: { nmae: 'Ada' } })
    await db.close()
  })

  test('a named type and a schema of it -> fit', () => {
    for (const schema of Object.values(schemas)) defineCollection<Person>({ schema })
  })

  test('a schema of something else -> does not compile', () => {
    const id = z.string()
    // @ts-expect-error the schema lacks fields
    defineCollection<Person>({ schema: z.object({ id }) })
    // @ts-expect-error the schema lacks fields
    defineCollection<Person>({ schema: v.object({ id: v.string() }) })
    // @ts-expect-error the schema lacks fields
    defineCollection<Person>({ schema: type({ id: 'string' }) })
    // @ts-expect-error a name is text
    defineCollection<Person>({ schema: zodSchema.extend({ name: z.number() }) })
    // @ts-expect-error an entity has an id
    defineCollection({ schema: z.object({ name: z.string() }) })
    // @ts-expect-error an id is text
    defineCollection({ schema: v.object({ id: v.number() }) })
    // @ts-expect-error there is no such field
    defineCollection({ schema: zodSchema, indexes: { a: ['nmae'] } })
    // @ts-expect-error there is no such field
    defineCollection({ schema: arktypeSchema, indexes: { a: ['address.ctiy'] } })
  })
})
