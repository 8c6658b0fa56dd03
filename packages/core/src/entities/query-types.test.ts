import { describe, expect, test } from 'vitest'
import {
  type AnyEntity,
  type CollectionDefinitions,
  type CollectionOptions,
  defineCollection,
} from './collection-definition.ts'
import { specOf } from './collection-state.ts'
import { parseQuery } from './parsed-query.ts'
import type { Person } from './person.test-kit.ts'
import type { OrderBy, Where } from './query.ts'

const where = (condition: Where<Person>) => parseQuery({ where: condition })
const orderBy = (order: OrderBy<Person>) => parseQuery({ orderBy: order })
const define = (indexes: CollectionOptions<Person>['indexes'] & object) => {
  const definitions: CollectionDefinitions = { people: defineCollection<Person>({ indexes }) }
  for (const [name, definition] of Object.entries(definitions)) specOf(name, definition)
}

function conditionsThatMakeSense(): void {
  const tags: readonly string[] = ['a']
  const all: readonly Where<Person>[] = [
    { name: 'Ada', age: null, isMember: true, balance: 5n, born: new Date(0) },
    { photo: new Uint8Array(), tags: ['a'], status: 'open', either: 1 },
    { name: { eq: 'Ada', ne: null, in: ['Ada', null], exists: true, startsWith: 'A' } },
    { name: { gt: 'A', gte: 'A', lt: 'B', lte: 'B', between: ['A', 'B'] } },
    { age: { gt: 1, between: [1, 2] }, balance: { lt: 1n }, born: { gte: new Date(0) } },
    { photo: { gt: new Uint8Array() }, tags: { gt: ['a'] }, isMember: { gte: false } },
    { either: { startsWith: 'A', gt: 1, in: ['a', 1] } },
    { tags: { has: 'a' }, phones: { has: { kind: 'home', number: '1' } } },
    { 'address.city': 'Bern', 'home.place.lat': { gt: 1 }, 'work.city': { startsWith: 'B' } },
    { 'mixed.city': 'Bern', mixed: 'Bern', 'shape.radius': { gte: 1 }, 'shape.at.city': 'Bern' },
    { 'manager.manager.name': 'Ada', 'manager.address.place.lat': 1 },
    { 'manager.manager.manager.manager.name': 'Ada' },
    { 'marks.maths': { gt: 4 }, 'sales.2026.total': { gt: 4 }, 'extra.of.any': { has: 'kind' } },
    // Bounds need not be possible values; objects are asked for with eq.
    { status: { gt: 'o' }, address: { eq: { city: 'Bern' } }, work: null },
    { and: [{ name: 'Ada' }], or: [{ age: 1 }, { 'address.city': 'Bern' }], not: { name: 'Bob' } },
    { tags },
    { tags: { in: [tags] } },
  ]
  all.forEach(where)
  const anything: Where<AnyEntity> = { a: 1, 'b.c': { gt: 'x', has: 1 }, or: [{ d: null }] }
  parseQuery({ where: anything })
}

function conditionsThatMakeNone(): void {
  // @ts-expect-error there is no such field
  where({ nmae: 'Ada' })
  // @ts-expect-error there is no such nested field
  where({ 'address.ctiy': 'Bern' })
  // @ts-expect-error text holds no fields
  where({ 'name.first': 'Ada' })
  // @ts-expect-error a list holds no fields
  where({ 'phones.kind': 'home' })
  // @ts-expect-error a name is text
  where({ name: 1 })
  // @ts-expect-error a city is text
  where({ 'address.city': 1 })
  // @ts-expect-error a bound is of the type of the values
  where({ age: { gt: '1' } })
  // @ts-expect-error so are both of between
  where({ age: { between: [1, '2'] } })
  // @ts-expect-error and the values of in
  where({ 'home.city': { in: ['Bern', 1] } })
  // @ts-expect-error there is no such status
  where({ status: 'opne' })
  // @ts-expect-error a mark is a number
  where({ 'marks.maths': 'good' })
  // @ts-expect-error a number has no beginning
  where({ age: { startsWith: '1' } })
  // @ts-expect-error text has no elements
  where({ name: { has: 'A' } })
  // @ts-expect-error a tag is text
  where({ tags: { has: 1 } })
  // @ts-expect-error objects have no range
  where({ address: { gt: { city: 'Bern' } } })
  // @ts-expect-error null is no bound
  where({ age: { gt: null } })
  // @ts-expect-error an object as a condition would be one of operators
  where({ address: { city: 'Bern' } })
  // @ts-expect-error there is no such operator
  where({ name: { like: 'A' } })
  // @ts-expect-error undefined is no value
  where({ name: undefined })
  // @ts-expect-error also inside
  where({ or: [{ nmae: 'Ada' }] })
  // @ts-expect-error also there
  where({ not: { age: 'x' } })
}

function orders(): void {
  orderBy({ name: 'asc', 'address.city': 'desc' })
  orderBy([{ age: 'desc' }, { 'work.city': 'asc' }])
}

function ordersThatMakeNone(): void {
  // @ts-expect-error there is no such field
  orderBy({ nmae: 'asc' })
  // @ts-expect-error there is no such nested field
  orderBy([{ name: 'asc' }, { 'address.ctiy': 'asc' }])
  // @ts-expect-error there is no such direction
  orderBy({ name: 'up' })
}

function indexes(): void {
  define({ a: ['name', { 'address.city': 'desc' }], b: { on: ['home.city'] } })
  define({ a: ['tags[]'], b: ['name', { 'phones[]': 'desc' }], c: ['extra.of.any[]'] })
}

function indexesThatMakeNone(): void {
  // @ts-expect-error there is no such field
  define({ a: ['nmae'] })
  // @ts-expect-error there is no such nested field
  define({ a: { on: ['name', 'address.ctiy'], unique: true } })
  // @ts-expect-error nor here
  define({ a: [{ 'address.ctiy': 'desc' }] })
  // @ts-expect-error text has no elements
  define({ a: ['name[]'] })
  // @ts-expect-error nor has an object
  define({ a: [{ 'address[]': 'desc' }] })
  // @ts-expect-error there is no such list
  define({ a: ['tgas[]'] })
  // @ts-expect-error there is no such direction
  define({ a: [{ name: 'down' }] })
}

describe('types of queries', () => {
  test('conditions that make sense -> compile, and are understood', () => {
    expect(conditionsThatMakeSense).not.toThrow()
  })

  test('orders and indexes of fields that there are -> compile, and are understood', () => {
    expect(orders).not.toThrow()
    expect(indexes).not.toThrow()
  })

  test('what makes no sense -> does not compile', () => {
    // The compiler has found each of its errors, or this file would not have passed the check of types.
    for (const wrong of [conditionsThatMakeNone, ordersThatMakeNone, indexesThatMakeNone]) {
      expect(wrong).toBeTypeOf('function')
    }
  })
})
