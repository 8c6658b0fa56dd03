/** `entidb salvage` on real directories. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_PROBLEMS } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import {
  filesOf,
  makeNotes,
  openNotes,
  readNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

async function salvage(...words: string[]) {
  const environment = createTestEnvironment()
  const exit = await runCli(['salvage', ...words], environment)
  return { exit, output: environment.output(), errors: environment.errors() }
}

function damage(directory: string, change: (data: Buffer) => void): void {
  const file = join(directory, 'data.entidb')
  const data = readFileSync(file)
  change(data)
  writeFileSync(file, data)
}

/** Flips a byte of the n-th place that holds the text. */
function flip(data: Buffer, text: string, nth: number): void {
  let at = -1
  for (let i = 0; i <= nth; i++) at = data.indexOf(text, at + 1)
  data[at] = (data[at] ?? 0) ^ 1
}

describe('entidb salvage', () => {
  test('both superblocks are gone -> opening names this command, which saves everything; exit code 3', async () => {
    await makeNotes(path('db'), 500)
    damage(path('db'), (data) => {
      data[100] = 1
      data[4196] = 1
    })
    await expect(openNotes(path('db'))).rejects.toThrow('entidb salvage')
    const before = filesOf(path('db'))
    const { exit, output } = await salvage(path('db'), path('saved'))
    expect(exit).toBe(EXIT_PROBLEMS)
    expect(output).toContain('superblock')
    expect(filesOf(path('db'))).toEqual(before)
    expect(await readNotes(path('saved'))).toHaveLength(500)
    expect(readdirSync(path('.')).sort()).toEqual(['db', 'saved'])
  })

  test('a damaged leaf, --json -> the others are saved, those lost are listed by id', async () => {
    await makeNotes(path('db'), 2000)
    damage(path('db'), (data) => flip(data, 'note 1234 ', 0))
    const { exit, output } = await salvage(path('db'), path('saved'), '--json')
    expect(exit).toBe(EXIT_PROBLEMS)
    const { ok, losses, lossCount, entities, target } = JSON.parse(output)
    expect([ok, target]).toEqual([false, path('saved')])
    const saved = await readNotes(path('saved'))
    expect(saved).toHaveLength(entities.notes)
    const ids = losses.flatMap(({ id }: { id?: string }) => (id === undefined ? [] : [id]))
    expect(ids).toContain('n1234')
    expect(ids).toHaveLength(2000 - saved.length)
    expect(lossCount).toBe(losses.length)
    const db = await openNotes(path('saved'))
    expect((await db.verify()).ok).toBe(true)
    await db.close()
  })

  test('nothing is damaged -> everything, exit code 0; an empty directory may be the target', async () => {
    await makeNotes(path('db'), 50)
    mkdirSync(path('saved'))
    const { exit, output } = await salvage(path('db'), path('saved'))
    expect(exit).toBe(EXIT_OK)
    expect(output).toContain('Nothing is missing.')
    expect(await readNotes(path('saved'))).toHaveLength(50)
  })

  test('target is in the way -> database_exists, unchanged', async () => {
    await makeNotes(path('db'), 5)
    await makeNotes(path('other'), 3)
    writeFileSync(path('file'), 'mine')
    const before = filesOf(path('other'))
    for (const name of ['other', 'file', 'db']) {
      const { exit, errors } = await salvage(path('db'), path(name))
      expect(exit).toBe(EXIT_FAILED)
      expect(errors).toContain('database_exists')
    }
    expect(filesOf(path('other'))).toEqual(before)
    expect(readFileSync(path('file'), 'utf8')).toBe('mine')
  })

  test('source in use, or none, or noise -> its error, and nothing is left', async () => {
    const db = await openNotes(path('db'))
    expect((await salvage(path('db'), path('saved'))).errors).toContain('database_locked')
    await db.close()
    mkdirSync(path('noise'))
    writeFileSync(join(path('noise'), 'data.entidb'), 'noise'.repeat(5000))
    for (const name of ['absent', 'noise']) {
      expect((await salvage(path(name), path('saved'))).errors).toContain('not_a_database')
    }
    expect(readdirSync(path('.')).sort()).toEqual(['db', 'noise'])
  })

  test('stopped by Ctrl-C -> nothing is left', async () => {
    await makeNotes(path('db'), 5)
    const environment = createTestEnvironment()
    environment.interrupt()
    expect(await runCli(['salvage', path('db'), path('saved')], environment)).toBe(EXIT_FAILED)
    expect(readdirSync(path('.'))).toEqual(['db'])
  })
})
