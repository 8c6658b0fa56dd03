import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConflictResolver, SyncedEntity } from '../conflicts/conflict-types.ts'
import { byCollection } from './by-collection.ts'
import { mergeThreeWay } from './merge-three-way.ts'
import { keepLocal, takeRemote } from './one-side.ts'
import { type ContestedField, mergeFields, threeWay } from './three-way.ts'

type Fields = Readonly<Record<string, unknown>> | null

const entity = (fields: Fields): SyncedEntity | null =>
  fields === null ? null : { id: 'e', ...fields }

/** What a resolver says to a conflict between edits of `e`; `base` undefined: not known. */
function resolve(
  resolver: ConflictResolver,
  base: Fields | undefined,
  local: Fields,
  remote: Fields,
  collection = 'notes',
) {
  return resolver.resolve(
    {
      collection,
      entityId: 'e',
      opType: local === null ? 'DELETE' : 'PUT',
      entity: entity(local),
    },
    { entityVersion: 2, entity: entity(remote) },
    {
      base: base === undefined ? undefined : { entityVersion: 1, entity: entity(base) },
      group: [],
      signal: new AbortController().signal,
    },
  )
}

const merged = (fields: Fields) => ({ type: 'merge', entity: entity(fields) })
const defer = { type: 'defer' }

describe('three-way merge', () => {
  test.each([
    [
      'one side changed -> that side',
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      { a: 1, b: 3 },
      { a: 2, b: 3 },
    ],
    ['both to the same -> that', { a: 1 }, { a: 2 }, { a: 2 }, { a: 2 }],
    ['added, removed -> so', { a: 1, c: 1 }, { a: 1, b: 2, c: 1 }, { c: 1 }, { c: 1, b: 2 }],
    [
      'an object changed on one side -> as a whole',
      { at: { x: 1 } },
      { at: { x: 1 } },
      { at: { y: 2 } },
      { at: { y: 2 } },
    ],
    [
      'a list changed on one side -> as a whole',
      { l: [1] },
      { l: [1, 2] },
      { l: [1] },
      { l: [1, 2] },
    ],
    [
      'values of equal content -> not changed',
      { d: new Date(1), b: new Uint8Array([1]), big: 1n },
      { d: new Date(1), b: new Uint8Array([1]), big: 1n },
      { d: new Date(2), b: new Uint8Array([2]), big: 2n },
      { d: new Date(2), b: new Uint8Array([2]), big: 2n },
    ],
    [
      'null, 0 and missing are different values',
      { a: null, b: 0 },
      { b: 0 },
      { a: null, b: -0 },
      { b: -0 },
    ],
    ['created on both sides the same way -> that', null, { a: 1 }, { a: 1, b: 1 }, { a: 1, b: 1 }],
  ] as const)('%s', (_, base, local, remote, expected) => {
    expect(resolve(threeWay(), base, local, remote)).toEqual(merged(expected))
  })

  test('objects -> as a whole, or field by field where the policy says so', () => {
    const sides = [
      { at: { lat: 1, lon: 1 } },
      { at: { lat: 2, lon: 1 } },
      { at: { lat: 1, lon: 2, alt: 3 } },
    ] as const
    expect(resolve(threeWay(), ...sides)).toEqual(defer)
    const byField = threeWay({ objects: 'byField' })
    expect(resolve(byField, ...sides)).toEqual(merged({ at: { lat: 2, lon: 2, alt: 3 } }))
    expect(resolve(byField, { at: 1 }, { at: { lat: 1 } }, { at: 2 })).toEqual(defer)
  })

  test('both changed a field differently -> left to the application, unless decided', () => {
    const sides = [
      { a: 1, b: 1 },
      { a: 2, b: 9 },
      { a: 3, b: 1 },
    ] as const
    expect(resolve(threeWay(), ...sides)).toEqual(defer)
    expect(resolve(threeWay({ contested: 'local' }), ...sides)).toEqual(merged({ a: 2, b: 9 }))
    expect(resolve(threeWay({ contested: 'remote' }), ...sides)).toEqual(merged({ a: 3, b: 9 }))
    const asked: ContestedField[] = []
    const contested = (field: ContestedField) => asked.push(field)
    expect(resolve(threeWay({ contested }), ...sides)).toEqual(merged({ a: 1, b: 9 }))
    const named = { collection: 'notes', entityId: 'e', path: 'a' }
    expect(asked).toEqual([{ ...named, base: 1, local: 2, remote: 3 }])
  })

  test('base not known -> every difference is contested', () => {
    expect(resolve(threeWay(), undefined, { a: 1 }, { a: 1, b: 1 })).toEqual(defer)
    expect(resolve(threeWay(), undefined, { a: 1 }, { a: 1 })).toEqual(merged({ a: 1 }))
  })

  test('deleted on one side, edited on the other -> by policy', () => {
    const here = [{ a: 1 }, null, { a: 2 }] as const
    const there = [{ a: 1 }, { a: 2 }, null] as const
    expect(resolve(threeWay(), ...here)).toEqual(defer)
    expect(resolve(threeWay(), ...there)).toEqual(defer)
    const keepEdit = threeWay({ deleted: 'keepEdit' })
    expect(resolve(keepEdit, ...here)).toEqual({ type: 'takeRemote' })
    expect(resolve(keepEdit, ...there)).toEqual({ type: 'keepLocal' })
    const remove = threeWay({ deleted: 'delete' })
    expect(resolve(remove, ...here)).toEqual({ type: 'keepLocal' })
    expect(resolve(remove, ...there)).toEqual({ type: 'takeRemote' })
  })

  test('any sides -> symmetric, and nothing that one side alone changed is lost', () => {
    const fields = fc.dictionary(
      fc.constantFrom('a', 'b', '__proto__', 'c'),
      fc.oneof(fc.integer({ min: 0, max: 2 }), fc.dictionary(fc.constantFrom('x', 'y'), fc.nat(2))),
    )
    fc.assert(
      fc.property(fields, fields, fields, fc.boolean(), (base, local, remote, isByField) => {
        const objects = isByField ? 'byField' : 'whole'
        const merge = (one: typeof local, other: typeof local) =>
          mergeThreeWay(
            { ...base, id: 'e' },
            { ...one, id: 'e' },
            { ...other, id: 'e' },
            () => 'contested',
            { objects },
          ).entity
        expect(merge(local, remote)).toEqual(merge(remote, local))
        expect(merge(local, base)).toEqual({ ...local, id: 'e' })
        expect(merge(local, local)).toEqual({ ...local, id: 'e' })
      }),
    )
  })
})

describe('resolvers', () => {
  test('one side -> it', () => {
    expect(resolve(takeRemote(), { a: 1 }, { a: 2 }, { a: 3 })).toEqual({ type: 'takeRemote' })
    expect(resolve(keepLocal(), { a: 1 }, { a: 2 }, { a: 3 })).toEqual({ type: 'keepLocal' })
  })

  test('by collection -> that of the collection; of none: left to the application', () => {
    const resolver = byCollection({ notes: keepLocal(), prices: takeRemote() })
    const sides = [{ a: 1 }, { a: 2 }, { a: 3 }] as const
    expect(resolve(resolver, ...sides)).toEqual({ type: 'keepLocal' })
    expect(resolve(resolver, ...sides, 'prices')).toEqual({ type: 'takeRemote' })
    expect(resolve(resolver, ...sides, 'toString')).toEqual(defer)
  })

  test('mergeFields -> three-way where it is named', () => {
    const resolver = mergeFields({ notes: 'three-way', prices: { contested: 'remote' } })
    const sides = [
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      { a: 3, b: 2 },
    ] as const
    expect(resolve(resolver, ...sides)).toEqual(defer)
    expect(resolve(resolver, ...sides, 'prices')).toEqual(merged({ a: 3, b: 2 }))
    expect(resolve(resolver, ...sides, 'others')).toEqual(defer)
  })

  test('a misspelt policy -> refused', () => {
    // Nobody can write these with types.
    expect(() => mergeFields({ notes: 'threeway' as 'three-way' })).toThrow(TypeError)
    expect(() => threeWay({ contested: 'mine' as 'local' })).toThrow(TypeError)
    expect(() => threeWay({ deleted: 'no' as 'delete' })).toThrow(TypeError)
  })
})
