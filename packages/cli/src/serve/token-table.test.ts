import { describe, expect, test } from 'vitest'
import { UsageError } from '../cli/usage-error.ts'
import { parseTokens } from './token-table.ts'

describe('token table', () => {
  test('text: one token -> all databases, writing', () => {
    expect(parseTokens('abc\n', 'file')).toEqual({
      abc: { subject: 'token', databases: '*', access: 'write' },
    })
  })

  test('JSON: several tokens -> each with its own rights', () => {
    const table = {
      a: { subject: 'till', databases: ['shop'], access: 'write', deviceId: 'till-1' },
      b: { subject: 'report', databases: '*', access: 'read' },
    }
    expect(parseTokens(JSON.stringify(table), 'file')).toEqual(table)
  })

  test.each([
    ['nothing', ''],
    ['two words', 'a b'],
    ['broken JSON', '{'],
    ['no token', '{}'],
    ['no rights', '{"secret": {}}'],
    ['characters that no header carries', 'secret$'],
    [
      'a database that is none',
      '{"secret": {"subject": "s", "databases": ["../x"], "access": "read"}}',
    ],
    ['no subject', '{"secret": {"subject": "", "databases": "*", "access": "read"}}'],
    ['an unknown access', '{"secret": {"subject": "s", "databases": "*", "access": "all"}}'],
    [
      'databases of another type',
      '{"secret": {"subject": "s", "databases": [1], "access": "read"}}',
    ],
  ])('text: %s -> usage error that names the source and quotes no token', (_, text) => {
    expect(() => parseTokens(text, 'tokens.json')).toThrow(UsageError)
    expect(() => parseTokens(text, 'tokens.json')).toThrow('tokens.json')
    expect(() => parseTokens(text, 'tokens.json')).not.toThrow('secret')
  })
})
