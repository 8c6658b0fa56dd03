/** `entidb verify` on real directories. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileStorage } from '@entidb/core/node'
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_PROBLEMS } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import {
  filesOf,
  makeNotes,
  openNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

async function verify(...words: string[]) {
  const environment = createTestEnvironment()
  const exit = await runCli(['verify', ...words], environment)
  return { exit, output: environment.output(), errors: environment.errors() }
}

/** Flips a byte of the data file. */
function damage(directory: string, find: (data: Buffer) => number): void {
  const file = join(directory, 'data.entidb')
  const data = readFileSync(file)
  const at = find(data)
  data[at] = (data[at] ?? 0) ^ 1
  writeFileSync(file, data)
}

describe('entidb verify', () => {
  test('healthy -> no problem, exit code 0, nothing changed', async () => {
    await makeNotes(path('db'), 500)
    const before = filesOf(path('db'))
    const { exit, output, errors } = await verify(path('db'))
    expect([exit, errors]).toEqual([EXIT_OK, ''])
    expect(output).toContain('500 entities')
    expect(output).toContain('no problem')
    expect(filesOf(path('db'))).toEqual(before)
  })

  test('healthy, --json -> one object', async () => {
    await makeNotes(path('db'), 500)
    const { exit, output } = await verify(path('db'), '--json')
    expect(exit).toBe(EXIT_OK)
    expect(JSON.parse(output)).toMatchObject({
      directory: path('db'),
      ok: true,
      problems: [],
      checked: { entities: 500, indexEntries: 500 },
      recovery: { replayedCommits: 0 },
    })
  })

  test('by a symbolic link -> the same', async () => {
    await makeNotes(path('db'), 5)
    symlinkSync(path('db'), path('link'))
    expect((await verify(path('link'))).exit).toBe(EXIT_OK)
  })

  test('a leaf is damaged -> its place and collection, exit code 3, nothing changed', async () => {
    await makeNotes(path('db'), 500)
    damage(path('db'), (data) => data.indexOf('note 250 '))
    const before = filesOf(path('db'))
    const json = await verify(path('db'), '--json')
    expect(json.exit).toBe(EXIT_PROBLEMS)
    expect(JSON.parse(json.output)).toMatchObject({
      ok: false,
      problems: [{ code: 'corrupt', file: 'data.entidb', collection: 'notes' }],
    })
    const text = await verify(path('db'))
    expect(text.exit).toBe(EXIT_PROBLEMS)
    expect(text.output).toContain('entidb salvage')
    expect(filesOf(path('db'))).toEqual(before)
  })

  test('an index lacks an entry -> the entity, exit code 3', async () => {
    await makeNotes(path('db'), 50)
    const store = await fileStorage(path('db')).open({ durability: 'strict' })
    const tx = await store.begin()
    const { keys } = await tx.scan('i:notes:byKind', {}).next(1)
    for (const key of keys) await tx.delete('i:notes:byKind', key)
    await tx.commit()
    await store.close()
    const { exit, output } = await verify(path('db'), '--json')
    expect(exit).toBe(EXIT_PROBLEMS)
    expect(JSON.parse(output).problems).toEqual([
      { code: 'index_missing', collection: 'notes', id: 'n0', message: expect.any(String) },
    ])
  })

  test('both superblocks are damaged -> a problem that names the way out, exit code 3', async () => {
    await makeNotes(path('db'), 50)
    damage(path('db'), () => 100)
    damage(path('db'), () => 4196)
    const { exit, output } = await verify(path('db'), '--json')
    expect(exit).toBe(EXIT_PROBLEMS)
    expect(JSON.parse(output).problems).toMatchObject([{ code: 'corrupt', file: 'data.entidb' }])
  })

  test('in use -> database_locked; none there, or a file -> not_a_database; exit code 1', async () => {
    const db = await openNotes(path('db'))
    expect(await verify(path('db'))).toMatchObject({
      exit: EXIT_FAILED,
      errors: expect.stringContaining('database_locked'),
    })
    await db.close()
    mkdirSync(path('empty'))
    writeFileSync(path('file'), 'text')
    for (const name of ['empty', 'absent', 'file']) {
      expect(await verify(path(name))).toMatchObject({
        exit: EXIT_FAILED,
        errors: expect.stringContaining('not_a_database'),
      })
    }
    expect(filesOf(path('empty')).size).toBe(0)
  })
})
