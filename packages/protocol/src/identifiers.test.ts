import { describe, expect, test } from 'vitest'
import {
  isValidClientDeviceId,
  isValidCollectionName,
  isValidDbId,
  isValidDeviceId,
  isValidEntityId,
  parseCollectionName,
  parseDbId,
  parseDeviceId,
  parseEntityId,
} from './identifiers.ts'

const refused = (path: string, reason: string) =>
  expect.objectContaining({ code: 'invalid_request', details: { path, reason } })

describe('dbId and deviceId', () => {
  test.each(['a', 'production-db', 'A.b_c-9', '_x', '-', '0', 'a..b', 'd'.repeat(128)])(
    'name: %s -> valid',
    (name) => {
      expect(isValidDbId(name)).toBe(true)
      expect(isValidDeviceId(name)).toBe(true)
      expect(parseDbId(name)).toBe(name)
      expect(parseDeviceId(name)).toBe(name)
    },
  )

  test.each([
    '',
    '.',
    '..',
    '.a',
    '../x',
    'a/b',
    'a\\b',
    'a b',
    'a\n',
    'a\0',
    'ä',
    'd'.repeat(129),
    7,
    null,
  ])('name: %j -> refused', (name) => {
    expect(isValidDbId(name)).toBe(false)
    expect(isValidDeviceId(name)).toBe(false)
    expect(() => parseDbId(name)).toThrow(refused('dbId', 'invalid_db_id'))
    expect(() => parseDeviceId(name)).toThrow(refused('deviceId', 'invalid_device_id'))
  })

  test('deviceId: server -> an author, never a client', () => {
    expect(isValidDeviceId('server')).toBe(true)
    expect(isValidClientDeviceId('server')).toBe(false)
    expect(isValidClientDeviceId('Server')).toBe(true)
    expect(() => parseDeviceId('server')).toThrow(refused('deviceId', 'reserved_device_id'))
  })

  test('parse: a path of the caller -> in the details', () => {
    expect(() => parseDbId('', 'query.dbId')).toThrow(refused('query.dbId', 'invalid_db_id'))
  })
})

describe('collection', () => {
  test.each(['a', 'people', 'A-z_9', '-', '9', 'constructor', 'c'.repeat(64)])(
    'name: %s -> valid',
    (name) => {
      expect(isValidCollectionName(name)).toBe(true)
      expect(parseCollectionName(name)).toBe(name)
    },
  )

  test.each(['', '_a', '__proto__', 'a.b', 'a/b', 'é', 'c'.repeat(65), undefined])(
    'name: %j -> refused',
    (name) => {
      expect(isValidCollectionName(name)).toBe(false)
      expect(() => parseCollectionName(name)).toThrow(refused('collection', 'invalid_collection'))
    },
  )
})

describe('entityId', () => {
  test.each([
    ['one byte', 'a'],
    ['512 bytes of ASCII', 'a'.repeat(512)],
    ['512 bytes in 256 letters', 'é'.repeat(256)],
    ['510 bytes in 170 letters', '€'.repeat(170)],
    ['512 bytes in 128 emoji', '😀'.repeat(128)],
    ['control characters and blanks', '\0 \n'],
  ])('id: %s -> valid', (_, id) => {
    expect(isValidEntityId(id)).toBe(true)
    expect(parseEntityId(id)).toBe(id)
  })

  test.each([
    ['empty', ''],
    ['513 bytes of ASCII', 'a'.repeat(513)],
    ['513 bytes in 171 letters', '€'.repeat(171)],
    ['514 bytes in 257 letters', 'é'.repeat(257)],
    ['516 bytes in 129 emoji', '😀'.repeat(129)],
    ['a high surrogate alone', 'a\ud83d'],
    ['a high surrogate before a letter', '\ud83da'],
    ['a low surrogate alone', '\ude00'],
    ['a number', 7],
  ])('id: %s -> refused', (_, id) => {
    expect(isValidEntityId(id)).toBe(false)
    expect(() => parseEntityId(id)).toThrow(refused('entityId', 'invalid_entity_id'))
  })
})
