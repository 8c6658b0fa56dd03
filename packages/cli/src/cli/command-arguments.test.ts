import { describe, expect, test } from 'vitest'
import { CommandArguments } from './command-arguments.ts'
import { UsageError } from './usage-error.ts'

const definition = {
  dir: { type: 'positional', required: true },
  data: { type: 'string', default: './data' },
  port: { type: 'string', default: '8443' },
  cities: { type: 'string' },
  'token-file': { type: 'string' },
  once: { type: 'boolean' },
} as const

const parse = (...words: string[]): CommandArguments => new CommandArguments(definition, words)

describe('command arguments', () => {
  test('options: given in every spelling -> their values', () => {
    const args = parse('x', '--data', 'a', '--port=1', '--once', '--token-file', 'f')
    expect(args.text('dir')).toBe('x')
    expect(args.text('data')).toBe('a')
    expect(args.port('port')).toBe(1)
    expect(args.flag('once')).toBe(true)
    expect(args.optionalText('token-file')).toBe('f')
  })

  test('options: not given -> defaults, undefined, false', () => {
    const args = parse('x')
    expect(args.text('data')).toBe('./data')
    expect(args.port('port')).toBe(8443)
    expect(args.optionalText('token-file')).toBeUndefined()
    expect(args.optionalCount('cities', 1, 10)).toBeUndefined()
    expect(args.flag('once')).toBe(false)
  })

  test.each([
    ['an unknown option', ['x', '--nope'], 'unknown option --nope'],
    ['an unknown negated option', ['x', '--no-way'], 'unknown option --way'],
    ['an unknown short option', ['x', '-z'], 'unknown option -z'],
    ['a switch with a value', ['x', '--once=no'], '--once'],
    ['a surplus word', ['x', 'y'], 'unexpected argument y'],
    ['a missing word', [], 'DIR'],
  ])('options: %s -> usage error that names it', (_, words, message) => {
    expect(() => parse(...words)).toThrow(UsageError)
    expect(() => parse(...words)).toThrow(message)
  })

  test.each(['', '-1', '1.5', 'x', '65536', '1e3', '99999999999999999999'])(
    'port: %j -> usage error',
    (port) => {
      expect(() => parse('x', `--port=${port}`).port('port')).toThrow(UsageError)
    },
  )

  test('text: an option without its value -> usage error that names it', () => {
    expect(() => parse('x', '--data').text('data')).toThrow('--data needs a value')
  })
})
