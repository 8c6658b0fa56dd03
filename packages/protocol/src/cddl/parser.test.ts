import { describe, expect, test } from 'vitest'
import { parseCddl } from './parser.test-kit.ts'
import { schemaOfProtocol } from './schema.test-kit.ts'

const uint = { kind: 'name', name: 'uint' }

describe('parseCddl', () => {
  test('parser: a map with a key, an optional key and a catch-all -> its members', () => {
    const schema = parseCddl('m = { a: uint, ? b: uint, * tstr => any } ; comment')
    expect(schema.types.get('m')).toEqual({
      kind: 'map',
      group: [
        { min: 1, max: 1, key: { kind: 'literal', value: 'a' }, cut: true, value: uint },
        { min: 0, max: 1, key: { kind: 'literal', value: 'b' }, cut: true, value: uint },
        {
          min: 0,
          max: Number.POSITIVE_INFINITY,
          key: { kind: 'name', name: 'tstr' },
          cut: false,
          value: { kind: 'name', name: 'any' },
        },
      ],
    })
  })

  test('parser: a named group -> a group, not a type', () => {
    const schema = parseCddl('g = (a: uint, b: uint)')
    expect([...schema.groups.keys()]).toEqual(['g'])
    expect(schema.types.size).toBe(0)
  })

  test('parser: choices, ranges, controls, negative numbers -> their types', () => {
    const { types } = parseCddl('a = "x" / null\nb = -1..top\nc = bstr .size (1..2)\ntop = 5')
    expect(types.get('a')).toMatchObject({ kind: 'choice' })
    expect(types.get('b')).toEqual({
      kind: 'range',
      min: { kind: 'literal', value: -1n },
      max: { kind: 'name', name: 'top' },
    })
    expect(types.get('c')).toMatchObject({ kind: 'control', name: '.size' })
  })

  test.each([
    ['a = ', /end of file/],
    ['a = { b: uint', /end of file/],
    ['a = uint\na = uint', /twice/],
    ['a = b<uint>', /Line 1: <uint>/],
    ['a = { b: uint // c: uint }', /unexpected/],
    ['a = "x".."y"', /range/],
    ['1 = uint', /unexpected 1/],
  ])('parser: %j -> a syntax error', (text, message) => {
    expect(() => parseCddl(text)).toThrow(message)
  })

  test('parser: the protocol -> every name it uses is defined', () => {
    const prelude = new Set('any uint tstr bstr bool true false null'.split(' '))
    const schema = schemaOfProtocol()
    const text = JSON.stringify(
      [...schema.types.values(), ...schema.groups.values()],
      (_, value) => (typeof value === 'bigint' ? String(value) : value),
    )
    const used = [...text.matchAll(/"kind":"name","name":"([^"]+)"/g)].map(([, name]) => name ?? '')
    const isDefined = (name: string) =>
      prelude.has(name) || schema.types.has(name) || schema.groups.has(name)
    expect(used.filter((name) => !isDefined(name))).toEqual([])
  })
})
