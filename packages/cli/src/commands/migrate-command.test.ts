/** `entidb migrate` on real directories, with a real module. */
import { writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import {
  filesOf,
  makeNotes,
  openNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()
let module = ''

async function migrate(...words: string[]) {
  const environment = createTestEnvironment()
  const exit = await runCli(['migrate', ...words, `--collections=${module}`], environment)
  return { exit, output: environment.output(), errors: environment.errors() }
}

function writeModule(migration: string, version = 2, name = 'collections'): void {
  const migrations = version === 2 ? `migrations: { 2: ${migration} },` : ''
  const indexes = "indexes: { byKind: ['kind'] }"
  writeFileSync(
    module,
    `export const ${name} = { notes: { version: ${version}, ${migrations} ${indexes} } }\n`,
  )
}

beforeEach(() => {
  // Another one for each test: modules are kept by name.
  module = path(`collections-${Math.random()}.mjs`)
  writeModule("({ kind, ...old }) => ({ ...old, kind: 'k' + kind, size: 7n })")
})

describe('entidb migrate', () => {
  test('--dry-run -> what it would do, exit code 0, nothing changed', async () => {
    await makeNotes(path('db'), 500)
    const before = filesOf(path('db'))
    const { exit, output, errors } = await migrate(path('db'), '--dry-run', '--samples', '1')
    expect([exit, errors]).toEqual([EXIT_OK, ''])
    expect(output).toMatch(/notes\s+│ 1\s+│ 2\s+│\s+500 │\s+500 │/)
    expect(output).toContain("kind: 'k0'")
    expect(output).toContain('nothing was changed')
    expect(filesOf(path('db'))).toEqual(before)
  })

  test('--dry-run --json -> one object, with samples as text', async () => {
    await makeNotes(path('db'), 5)
    const { exit, output } = await migrate(path('db'), '--dry-run', '--samples=1', '--json')
    expect(exit).toBe(EXIT_OK)
    expect(JSON.parse(output)).toEqual({
      ...{ directory: path('db'), migrated: false, ok: true, isRefused: false, changeFeed: true },
      collections: [
        {
          ...{ collection: 'notes', storedVersion: 1, codeVersion: 2, isNewer: false },
          ...{ entities: 5, older: 5, rewritten: 0 },
          ...{ failureCount: 0, localFailureCount: 0, failures: [] },
          samples: [
            {
              ...{ id: 'n0', from: 1 },
              before: expect.stringContaining('kind: 0'),
              after: expect.stringContaining('size: 7n'),
            },
          ],
        },
      ],
    })
  })

  test('without it -> migrated; the change feed is as it was; again -> nothing to do', async () => {
    await makeNotes(path('db'), 50)
    const { exit, output } = await migrate(path('db'))
    expect(exit).toBe(EXIT_OK)
    expect(output).toContain('Migrated.')
    await expect(openNotes(path('db'))).rejects.toMatchObject({ code: 'data_newer_than_code' })
    const again = await migrate(path('db'), '--dry-run', '--json')
    expect(JSON.parse(again.output)).toMatchObject({
      changeFeed: true,
      collections: [{ storedVersion: 2 }],
    })
  })

  test('entities that fail -> named, exit code 3, nothing changed; the old code opens', async () => {
    await makeNotes(path('db'), 30)
    writeModule("(old) => { if (old.kind === 3) throw new Error('no threes'); return old }")
    const before = filesOf(path('db'))
    const { exit, output } = await migrate(path('db'))
    expect(exit).toBe(EXIT_PROBLEMS)
    expect(output).toContain('n10 in notes could not be migrated')
    expect(output).toContain('no threes')
    expect(output).toContain('nothing was changed')
    expect(filesOf(path('db'))).toEqual(before)
    const json = await migrate(path('db'), '--json')
    expect(JSON.parse(json.output)).toMatchObject({
      ...{ ok: false, isRefused: true, migrated: false },
      collections: [
        { failureCount: 4, failures: [{ id: 'n10', from: 1, isLocal: true }, {}, {}, {}] },
      ],
    })
    await (await openNotes(path('db'))).close()
  })

  test('data newer than the definitions -> told, exit code 3', async () => {
    await makeNotes(path('db'), 5)
    await migrate(path('db'))
    module = path('older.mjs')
    writeModule('', 1, 'default_')
    writeFileSync(module, "export default { notes: { indexes: { byKind: ['kind'] } } }\n")
    const { exit, output } = await migrate(path('db'))
    expect(exit).toBe(EXIT_PROBLEMS)
    expect(output).toContain('newer than these definitions (notes)')
  })

  test('no module, none there, one without collections -> exit code 2', async () => {
    await makeNotes(path('db'), 5)
    const environment = createTestEnvironment()
    expect(await runCli(['migrate', path('db')], environment)).toBe(EXIT_USAGE)
    expect(environment.errors()).toContain('--collections')
    writeModule('', 1, 'other')
    expect(await migrate(path('db'))).toMatchObject({
      exit: EXIT_USAGE,
      errors: expect.stringContaining('exports no collections'),
    })
    module = path('absent.mjs')
    expect(await migrate(path('db'))).toMatchObject({
      exit: EXIT_USAGE,
      errors: expect.stringContaining('absent.mjs'),
    })
  })

  test('in use, no database, definitions that make no sense -> exit code 1', async () => {
    const db = await openNotes(path('db'))
    expect(await migrate(path('db'))).toMatchObject({
      exit: EXIT_FAILED,
      errors: expect.stringContaining('database_locked'),
    })
    await db.close()
    expect(await migrate(path('absent'))).toMatchObject({
      exit: EXIT_FAILED,
      errors: expect.stringContaining('not_a_database'),
    })
    writeModule('7')
    module = path('bad.mjs')
    writeModule('7')
    expect((await migrate(path('db'))).exit).toBe(EXIT_FAILED)
  })
})
