import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './exit-codes.ts'
import { runCli } from './run-cli.ts'
import { createTestEnvironment } from './test-environment.test-kit.ts'

describe('command line', () => {
  test.each([[[]], [['--help']], [['help']], [['-h']]])(
    'help: %j -> every command',
    async (words) => {
      const environment = createTestEnvironment()
      expect(await runCli(words, environment)).toBe(EXIT_OK)
      for (const name of [
        'serve',
        'demo',
        'inspect',
        'query',
        'import',
        'export',
        'verify',
        'migrate',
        'backup',
        'restore',
        'compact',
        'salvage',
        'token',
      ]) {
        expect(environment.output()).toContain(name)
      }
      expect(environment.output()).not.toContain('\u001b')
    },
  )

  test.each([[['serve', '--help']], [['help', 'serve']]])(
    'help: %j -> its options',
    async (words) => {
      const environment = createTestEnvironment()
      expect(await runCli(words, environment)).toBe(EXIT_OK)
      expect(environment.output()).toContain('--self-signed')
    },
  )

  test('version: asked for -> the package’s', async () => {
    const environment = createTestEnvironment()
    expect(await runCli(['--version'], environment)).toBe(EXIT_OK)
    expect(environment.output()).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test.each([
    ['an unknown command', ['restart'], 'restart'],
    ['an unknown option', ['token', '--long'], '--long'],
    ['a bad port', ['demo', '--port', 'x'], '--port'],
    ['too few cities', ['demo', '--cities', '3'], '--cities'],
  ])('usage: %s -> its exit code and a message that names it', async (_, words, message) => {
    const environment = createTestEnvironment()
    expect(await runCli(words, environment)).toBe(EXIT_USAGE)
    expect(environment.errors()).toContain(message)
    expect(environment.output()).toBe('')
  })

  test('token: with and without --json -> a new one each time', async () => {
    const plain = createTestEnvironment()
    const json = createTestEnvironment()
    expect(await runCli(['token'], plain)).toBe(EXIT_OK)
    expect(await runCli(['token', '--json'], json)).toBe(EXIT_OK)
    expect(plain.output()).toMatch(/^[\w-]{43}\n$/)
    expect(JSON.parse(json.output())).toEqual({ token: expect.stringMatching(/^[\w-]{43}$/) })
  })

  test('help: behind a command -> a word like any other', async () => {
    const environment = createTestEnvironment()
    expect(await runCli(['query', '/nowhere/at/all', 'help'], environment)).toBe(EXIT_FAILED)
    expect(environment.errors()).toContain('not_a_database')
  })

  test('errors: with --json -> one JSON object on stderr', async () => {
    const environment = createTestEnvironment()
    expect(await runCli(['inspect', '/nowhere/at/all', '--json'], environment)).toBe(EXIT_FAILED)
    expect(JSON.parse(environment.errors())).toMatchObject({
      event: 'error',
      code: 'not_a_database',
    })
  })
})
