import { describe, expectTypeOf, test } from 'vitest'
import type { Collection } from './collection.ts'
import type { AnyEntity } from './collection-definition.ts'
import type { FieldPath } from './field-types.ts'
import type { Address, Person } from './person.test-kit.ts'
import type { Page, PageQuery, Query } from './query.ts'
import type { Answer, Selected } from './selection.ts'

describe('Selected', () => {
  test('fields -> just those, readonly, as optional as they are', () => {
    expectTypeOf<Selected<Person, ['id', 'name', 'age', 'tags']>>().toEqualTypeOf<{
      readonly id: string
      readonly name: string
      readonly age?: number
      readonly tags?: string[]
    }>()
    expectTypeOf<Selected<Person, []>>().toEqualTypeOf<Record<never, never>>()
    expectTypeOf<Selected<Person, ['work']>>().toEqualTypeOf<{ readonly work: Address | null }>()
  })

  test('nested fields -> objects of just those', () => {
    expectTypeOf<Selected<Person, ['address.city', 'id', 'address.zip']>>().toEqualTypeOf<{
      readonly address: { readonly city: string; readonly zip?: string }
      readonly id: string
    }>()
    expectTypeOf<Selected<Person, ['address.city', 'address']>>().toEqualTypeOf<{
      readonly address: Address
    }>()
  })

  test('a way through what may be no object -> missing there', () => {
    type City = { readonly city: string }
    expectTypeOf<Selected<Person, ['home.city']>>().toEqualTypeOf<{ readonly home?: City }>()
    expectTypeOf<Selected<Person, ['work.city']>>().toEqualTypeOf<{ readonly work?: City }>()
    expectTypeOf<Selected<Person, ['mixed.city']>>().toEqualTypeOf<{ readonly mixed?: City }>()
    expectTypeOf<Selected<Person, ['address.place.lat']>>().toEqualTypeOf<{
      readonly address: { readonly place?: { readonly lat: number } }
    }>()
  })

  test('unions -> each of them, with what only others have as missing', () => {
    expectTypeOf<Selected<Person, ['shape.radius']>>().toEqualTypeOf<{
      readonly shape: { readonly radius: number } | { readonly radius?: never }
    }>()
    type Either = { id: string; kind: 'a'; a: 1 } | { id: string; kind: 'b'; b: 2 }
    expectTypeOf<Selected<Either, ['kind', 'a']>>().toEqualTypeOf<
      { readonly kind: 'a'; readonly a: 1 } | { readonly kind: 'b'; readonly a?: never }
    >()
  })

  test('where the type does not say -> may be missing', () => {
    expectTypeOf<Selected<Person, ['marks.maths', 'extra.a.b']>>().toEqualTypeOf<{
      readonly marks: { readonly maths?: number }
      readonly extra?: { readonly a?: { readonly b?: unknown } }
    }>()
    expectTypeOf<Selected<AnyEntity, ['id', 'a', 'b.c']>>().toEqualTypeOf<{
      readonly id: string
      readonly a?: unknown
      readonly b?: { readonly c?: unknown }
    }>()
  })

  test('a list made at run time -> every field may be missing', () => {
    expectTypeOf<Selected<Person, ('id' | 'address.city')[]>>().toEqualTypeOf<{
      readonly id?: string
      readonly address?: { readonly city?: string }
    }>()
    expectTypeOf<Selected<AnyEntity, string[]>>().toEqualTypeOf<{ readonly [x: string]: unknown }>()
  })
})

async function selects(people: Collection<Person>): Promise<void> {
  interface Found {
    readonly id: string
    readonly home?: { readonly city: string }
  }
  const found = await people.find({ select: ['id', 'home.city'], where: { name: 'Ada' } })
  expectTypeOf(found).toEqualTypeOf<readonly Found[]>()
  const first = await people.first({ select: ['id', 'home.city'] })
  expectTypeOf(first).toEqualTypeOf<Found | undefined>()
  const page = await people.findPage({ select: ['id', 'home.city'], limit: 1 })
  expectTypeOf(page).toEqualTypeOf<Page<Found>>()
  for await (const one of people.scan({ select: ['id', 'home.city'] })) {
    expectTypeOf(one).toEqualTypeOf<Found>()
  }
  await people.count({ select: ['id'] })
  await people.explain({ select: ['id'] })

  expectTypeOf(await people.find()).toEqualTypeOf<readonly Readonly<Person>[]>()
  const query: Query<Person> = { where: { name: 'Ada' } }
  expectTypeOf(await people.find(query)).toEqualTypeOf<readonly Readonly<Person>[]>()
  const pages: PageQuery<Person, ['id']> = { select: ['id'], limit: 1 }
  expectTypeOf(await people.findPage(pages)).toEqualTypeOf<Page<Answer<Person, ['id']>>>()
  const columns: FieldPath<Person>[] = ['id']
  const [some] = await people.find({ select: columns })
  expectTypeOf(some?.name).toEqualTypeOf<string | undefined>()
}

async function wrongSelects(people: Collection<Person>): Promise<void> {
  // @ts-expect-error there is no such field
  await people.find({ select: ['id', 'nmae'] })
  // @ts-expect-error there is no such nested field
  await people.first({ select: ['address.ctiy'] })
  // @ts-expect-error a list holds no fields
  await people.findPage({ select: ['phones.kind'], limit: 1 })
  // @ts-expect-error a list is needed
  people.scan({ select: 'id' })
  // @ts-expect-error there is no such field
  await people.count({ select: ['nmae'] })
  // @ts-expect-error and no such part of a query
  await people.find({ selects: ['id'] })
  const [found] = await people.find({ select: ['id', 'address.city'] })
  if (found === undefined) return
  // @ts-expect-error it was not selected
  void found.name
  // @ts-expect-error nor was that
  void found.address.zip
  // @ts-expect-error what a query answers is frozen
  found.id = 'p2'
  // @ts-expect-error all through
  found.address.city = 'Bern'
  // @ts-expect-error a part is no entity
  await people.put(found)
  // @ts-expect-error so there may be none
  void (await people.first({ select: ['id'] })).id
}

test('select: in every query -> compiled as the comments say', () => {
  expectTypeOf(selects).toBeFunction()
  expectTypeOf(wrongSelects).toBeFunction()
})
