import { describe, expectTypeOf, test } from 'vitest'
import type { AnyEntity } from './collection-definition.ts'
import type { FieldPath, ListPath, ValueAt } from './field-types.ts'
import type { Address, Person, Shape } from './person.test-kit.ts'

/** Of one field alone, so that a failure shows few paths. */
type Paths<V> = FieldPath<{ field: V }>

describe('FieldPath', () => {
  test('what holds no fields -> is not looked into', () => {
    expectTypeOf<Paths<string>>().toEqualTypeOf<'field'>()
    expectTypeOf<Paths<Date>>().toEqualTypeOf<'field'>()
    expectTypeOf<Paths<Uint8Array>>().toEqualTypeOf<'field'>()
    expectTypeOf<Paths<Address[]>>().toEqualTypeOf<'field'>()
    expectTypeOf<Paths<readonly [Address]>>().toEqualTypeOf<'field'>()
    expectTypeOf<Paths<(address: Address) => Address>>().toEqualTypeOf<'field'>()
    expectTypeOf<Paths<string & { brand: 'Email' }>>().toEqualTypeOf<'field'>()
  })

  test('nested, optional and nullable parts -> every field below them', () => {
    expectTypeOf<Paths<{ a: { b: 1 } }>>().toEqualTypeOf<'field' | 'field.a' | 'field.a.b'>()
    expectTypeOf<Paths<{ a?: { b: 1 } | null } | undefined>>().toEqualTypeOf<
      'field' | 'field.a' | 'field.a.b'
    >()
    expectTypeOf<FieldPath<{ field?: { a?: 1 } }>>().toEqualTypeOf<'field' | 'field.a'>()
    expectTypeOf<FieldPath<Address>>().toEqualTypeOf<
      'city' | 'zip' | 'place' | 'place.lat' | 'place.lon' | 'since'
    >()
  })

  test('a union -> the fields of each', () => {
    expectTypeOf<FieldPath<Shape>>().toEqualTypeOf<
      'kind' | 'radius' | 'text' | 'at' | `at.${FieldPath<Address>}`
    >()
    expectTypeOf<Paths<{ a: 1 } | string | { b: 1 }>>().toEqualTypeOf<
      'field' | 'field.a' | 'field.b'
    >()
  })

  test('a type that refers to itself -> exact for four names, anything beyond', () => {
    interface Node {
      next?: Node
      value: string
    }
    expectTypeOf<FieldPath<Node>>().toEqualTypeOf<
      | 'next'
      | 'value'
      | 'next.next'
      | 'next.value'
      | 'next.next.next'
      | 'next.next.value'
      | 'next.next.next.next'
      | 'next.next.next.value'
      | `next.next.next.next.${string}`
    >()
  })

  test('where the type does not say -> anything', () => {
    expectTypeOf<FieldPath<AnyEntity>>().toEqualTypeOf<string>()
    expectTypeOf<FieldPath<unknown>>().toEqualTypeOf<string>()
    // biome-ignore lint/suspicious/noExplicitAny: it is what is tested
    expectTypeOf<FieldPath<any>>().toEqualTypeOf<string>()
    expectTypeOf<Paths<unknown>>().toEqualTypeOf<'field' | `field.${string}`>()
    expectTypeOf<Paths<object>>().toEqualTypeOf<'field' | `field.${string}`>()
    expectTypeOf<Paths<Record<string, Address>>>().toEqualTypeOf<'field' | `field.${string}`>()
    expectTypeOf<Paths<Record<number, Address>>>().toEqualTypeOf<'field' | `field.${string}`>()
  })

  test('names -> as a path says them', () => {
    expectTypeOf<FieldPath<{ 1: { a: 1 }; b: 1 }>>().toEqualTypeOf<'1' | '1.a' | 'b'>()
    expectTypeOf<FieldPath<{ 'a.b': 1; '': 1; c: 1 }>>().toEqualTypeOf<'c'>()
  })
})

describe('ListPath', () => {
  test('fields -> those that may be lists', () => {
    interface Lists {
      id: string
      tags?: string[]
      either: string | readonly [number]
      nested?: { list: number[]; text: string }
    }
    expectTypeOf<ListPath<Lists>>().toEqualTypeOf<'tags' | 'either' | 'nested.list'>()
    expectTypeOf<ListPath<AnyEntity>>().toEqualTypeOf<string>()
    expectTypeOf<ListPath<{ a: unknown; b: 1 }>>().toEqualTypeOf<'a' | `a.${string}`>()
  })
})

describe('ValueAt', () => {
  test('a path -> the type of what is there, undefined where a part may be missing', () => {
    expectTypeOf<ValueAt<Person, 'name'>>().toEqualTypeOf<string>()
    expectTypeOf<ValueAt<Person, 'age'>>().toEqualTypeOf<number | undefined>()
    expectTypeOf<ValueAt<Person, 'address.city'>>().toEqualTypeOf<string>()
    expectTypeOf<ValueAt<Person, 'home.city'>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<ValueAt<Person, 'work.city'>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<ValueAt<Person, 'mixed.city'>>().toEqualTypeOf<string | undefined>()
    expectTypeOf<ValueAt<Person, 'address.place.lat'>>().toEqualTypeOf<number | undefined>()
    expectTypeOf<ValueAt<Person, 'shape.kind'>>().toEqualTypeOf<'circle' | 'label'>()
    expectTypeOf<ValueAt<Person, 'shape.radius'>>().toEqualTypeOf<number | undefined>()
    expectTypeOf<ValueAt<Person, 'manager.manager.name'>>().toEqualTypeOf<string | undefined>()
  })

  test('where the type does not say -> unknown, or what an index signature says', () => {
    expectTypeOf<ValueAt<Person, 'marks.maths'>>().toEqualTypeOf<number>()
    expectTypeOf<ValueAt<Person, 'sales.2026.total'>>().toEqualTypeOf<number>()
    expectTypeOf<ValueAt<Person, `marks.${string}`>>().toEqualTypeOf<number | undefined>()
    expectTypeOf<ValueAt<Person, `sales.${string}`>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueAt<Person, 'extra.a.b'>>().toEqualTypeOf<unknown>()
    expectTypeOf<ValueAt<AnyEntity, 'a.b'>>().toEqualTypeOf<unknown>()
  })
})
