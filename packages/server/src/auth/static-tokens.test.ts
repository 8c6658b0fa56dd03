import { describe, expect, test } from 'vitest'
import { parseBearerToken } from './bearer-token.ts'
import { staticTokens } from './static-tokens.ts'

describe('staticTokens', () => {
  test('a listed token -> its identity; any other -> refused', async () => {
    const auth = staticTokens({
      one: { subject: 'ada', databases: ['shop'], access: 'write', deviceId: 'till' },
      two: { subject: 'bob', databases: '*', access: 'read' },
    })
    expect(await auth.authenticate('one')).toEqual({
      subject: 'ada',
      databases: ['shop'],
      access: 'write',
      deviceId: 'till',
    })
    expect(await auth.authenticate('two')).toEqual({
      subject: 'bob',
      databases: '*',
      access: 'read',
    })
    for (const token of ['', 'on', 'onee', 'ONE', '__proto__']) {
      expect(await auth.authenticate(token)).toBeUndefined()
    }
  })

  test.each([
    ['an empty token', { '': { subject: 'a', databases: '*', access: 'read' } }],
    ['a token with a space', { 'a b': { subject: 'a', databases: '*', access: 'read' } }],
    ['no subject', { t: { subject: '', databases: '*', access: 'read' } }],
    ['a bad dbId', { t: { subject: 'a', databases: ['../x'], access: 'read' } }],
    [
      'the device server',
      { t: { subject: 'a', databases: '*', access: 'read', deviceId: 'server' } },
    ],
    [
      'a misspelt deviceId, which would bind nothing',
      { t: { subject: 'a', databases: '*', access: 'read', device: 'x' } },
    ],
  ] as const)('configuration: %s -> TypeError', (_, tokens) => {
    expect(() => staticTokens(tokens)).toThrow(TypeError)
  })
})

describe('parseBearerToken', () => {
  test.each([
    ['Bearer abc', 'abc'],
    ['bearer  a.b-c_d~e+f/g==', 'a.b-c_d~e+f/g=='],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Basic abc', undefined],
    ['Bearer a, Bearer b', undefined],
    ['Bearer a b', undefined],
    [`Bearer ${'x'.repeat(10_000)}`, undefined],
    [null, undefined],
  ])('%s -> %s', (header, token) => {
    expect(parseBearerToken(header)).toBe(token)
  })
})
