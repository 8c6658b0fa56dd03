/** `entidb bench` on a real disk. */
import { mkdirSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import { temporaryPaths } from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

describe('entidb bench', () => {
  test('--json -> a rate of each work, and nothing left behind', async () => {
    mkdirSync(path('disk'))
    const environment = createTestEnvironment()
    const words = ['bench', '--dir', path('disk'), '--entities', '45', '--json']
    expect(await runCli(words, environment)).toBe(EXIT_OK)
    const { directory, entities, results } = JSON.parse(environment.output())
    expect({ directory, entities }).toEqual({ directory: path('disk'), entities: 45 })
    expect(results.map(({ operations }: { operations: number }) => operations)).toEqual([
      45, 45, 45, 3, 45,
    ])
    for (const { ms, perSecond } of results) {
      expect(ms).toBeGreaterThan(0)
      expect(perSecond).toBeGreaterThan(0)
    }
    expect(readdirSync(path('disk'))).toEqual([])
  })

  test('text -> a table', async () => {
    mkdirSync(path('disk'))
    const environment = createTestEnvironment()
    expect(await runCli(['bench', '--dir', path('disk'), '--entities=1'], environment)).toBe(
      EXIT_OK,
    )
    expect(environment.output()).toContain('per second')
  })

  test('Ctrl-C -> stopped, and nothing left behind', async () => {
    mkdirSync(path('disk'))
    const environment = createTestEnvironment()
    environment.interrupt()
    expect(await runCli(['bench', '--dir', path('disk'), '--json'], environment)).toBe(EXIT_FAILED)
    expect(JSON.parse(environment.errors())).toMatchObject({ code: 'stopped' })
    expect(readdirSync(path('disk'))).toEqual([])
  })

  test('no entities -> a usage error; no such folder -> failed', async () => {
    const environment = createTestEnvironment()
    expect(await runCli(['bench', '--entities', '0'], environment)).toBe(EXIT_USAGE)
    const nowhere = ['bench', '--dir', path('nowhere')]
    expect(await runCli(nowhere, environment)).toBe(EXIT_FAILED)
  })
})
