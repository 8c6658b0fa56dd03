/** `entidb backup` and `entidb restore` on real directories and files. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import {
  filesOf,
  makeNotes,
  noteOf,
  openNotes,
  readNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()
const COUNT = 400

async function run(...words: string[]) {
  return runWithInput([], ...words)
}

async function runWithInput(input: readonly Uint8Array[], ...words: string[]) {
  const environment = createTestEnvironment({}, input)
  const exit = await runCli(words, environment)
  const [output, errors] = [environment.output(), environment.errors()]
  return { exit, output, errors, bytes: environment.bytes() }
}

async function expectNotes(directory: string) {
  const ids = (await readNotes(directory)).map(({ id }) => id)
  expect(ids.sort()).toEqual(Array.from({ length: COUNT }, (_, i) => noteOf(i).id).sort())
}

describe('entidb backup', () => {
  test('to a new directory -> a database with the same content', async () => {
    await makeNotes(path('db'), COUNT)
    const { exit, output, errors } = await run('backup', path('db'), path('copy'))
    expect([exit, errors]).toEqual([EXIT_OK, ''])
    expect(output).toContain(path('copy'))
    await expectNotes(path('copy'))
    await expectNotes(path('db'))
  })

  test('to a file, and restored -> the same content', async () => {
    await makeNotes(path('db'), COUNT)
    const made = await run('backup', path('db'), path('copy.entidb'), '--json')
    expect(made.exit).toBe(EXIT_OK)
    const bytes = statSync(path('copy.entidb')).size
    expect(JSON.parse(made.output)).toEqual({
      directory: path('db'),
      target: path('copy.entidb'),
      kind: 'file',
      bytes,
    })
    const restored = await run('restore', path('copy.entidb'), path('again'), '--json')
    expect(restored.exit).toBe(EXIT_OK)
    expect(JSON.parse(restored.output)).toEqual({
      source: path('copy.entidb'),
      directory: path('again'),
      bytes,
    })
    await expectNotes(path('again'))
    expect(readdirSync(path('.')).sort()).toEqual(['again', 'copy.entidb', 'db'])
  })

  test('--file -> a file of any name', async () => {
    await makeNotes(path('db'), COUNT)
    expect((await run('backup', path('db'), path('copy'), '--file')).exit).toBe(EXIT_OK)
    expect(statSync(path('copy')).isFile()).toBe(true)
  })

  test('to stdout, and restored from stdin -> the same content; the report is on stderr', async () => {
    await makeNotes(path('db'), COUNT)
    const { exit, bytes, output, errors } = await run('backup', path('db'), '-', '--json')
    expect([exit, output]).toEqual([EXIT_OK, ''])
    expect(JSON.parse(errors)).toMatchObject({ target: '-', bytes: bytes.length })
    const pieces = [bytes.subarray(0, 1000), bytes.subarray(1000)]
    expect((await runWithInput(pieces, 'restore', '-', path('again'))).exit).toBe(EXIT_OK)
    await expectNotes(path('again'))
  })

  test('of a directory backup -> restored', async () => {
    await makeNotes(path('db'), COUNT)
    await run('backup', path('db'), path('copy'))
    expect((await run('restore', path('copy'), path('again'))).exit).toBe(EXIT_OK)
    await expectNotes(path('again'))
  })

  test('target holds a database, or is a file or a dangling link -> database_exists, and it is unchanged', async () => {
    await makeNotes(path('db'), COUNT)
    await makeNotes(path('other'), 3)
    writeFileSync(path('file'), 'mine')
    writeFileSync(path('file.entidb'), 'mine')
    symlinkSync(path('nowhere'), path('dangling'))
    const before = filesOf(path('other'))
    for (const name of ['other', 'file', 'file.entidb', 'dangling']) {
      for (const command of [
        ['backup', path('db'), path(name)],
        ['restore', path('db'), path(name)],
      ]) {
        const { exit, errors } = await run(...command)
        expect([name, exit]).toEqual([name, EXIT_FAILED])
        expect(errors).toContain('database_exists')
      }
    }
    expect(filesOf(path('other'))).toEqual(before)
    expect(readFileSync(path('file'), 'utf8')).toBe('mine')
    expect(existsSync(path('nowhere'))).toBe(false)
    expect(readdirSync(path('.')).sort()).toEqual([
      ...['dangling', 'db', 'file', 'file.entidb', 'other'],
    ])
  })

  test('source in use, or target is the source -> refused, and no target', async () => {
    const db = await openNotes(path('db'))
    const { exit, errors } = await run('backup', path('db'), path('copy'))
    expect(exit).toBe(EXIT_FAILED)
    expect(errors).toContain('database_locked')
    await db.close()
    expect((await run('backup', path('db'), path('db'))).errors).toContain('database_locked')
    expect(readdirSync(path('.'))).toEqual(['db'])
  })

  test('source is damaged -> the copy is refused, and no target', async () => {
    await makeNotes(path('db'), COUNT)
    const file = join(path('db'), 'data.entidb')
    const data = readFileSync(file)
    const at = data.indexOf('note 250 ')
    data[at] = 0
    writeFileSync(file, data)
    const { exit, errors } = await run('backup', path('db'), path('copy'))
    expect(exit).toBe(EXIT_FAILED)
    expect(errors).toContain('corrupt')
    expect(readdirSync(path('.'))).toEqual(['db'])
  })

  test('stopped by Ctrl-C -> no target, the source is whole', async () => {
    await makeNotes(path('db'), COUNT)
    for (const target of ['copy', 'copy.entidb']) {
      const environment = createTestEnvironment()
      environment.interrupt()
      const exit = await runCli(['backup', path('db'), path(target)], environment)
      expect(exit).toBe(EXIT_FAILED)
    }
    expect(readdirSync(path('.'))).toEqual(['db'])
    await expectNotes(path('db'))
  })
})

describe('entidb restore', () => {
  test('source cut off, changed, or something else -> its error, and no directory', async () => {
    await makeNotes(path('db'), COUNT)
    await run('backup', path('db'), path('copy.entidb'))
    const whole = readFileSync(path('copy.entidb'))
    const cases: [string, Uint8Array][] = [
      ['corrupt', whole.subarray(0, whole.length - 600)],
      [
        'corrupt',
        Buffer.concat([whole.subarray(0, 9000), Buffer.alloc(1, 99), whole.subarray(9001)]),
      ],
      ['not_a_database', new Uint8Array(0)],
      ['not_a_database', Buffer.from('text')],
    ]
    for (const [code, bytes] of cases) {
      writeFileSync(path('bad'), bytes)
      const { exit, errors } = await run('restore', path('bad'), path('again'))
      expect(exit).toBe(EXIT_FAILED)
      expect(errors).toContain(code)
      expect(existsSync(path('again'))).toBe(false)
    }
  })

  test('directory was there and empty -> stays, also after a failure', async () => {
    mkdirSync(path('again'))
    writeFileSync(path('bad'), 'text')
    expect((await run('restore', path('bad'), path('again'))).exit).toBe(EXIT_FAILED)
    expect(filesOf(path('again')).size).toBe(0)
  })

  test('source is a database with a log -> told to make a backup of it', async () => {
    const db = await openNotes(path('db'))
    const { exit, errors } = await run('restore', path('db'), path('again'))
    expect(exit).toBe(EXIT_USAGE)
    expect(errors).toContain('entidb backup')
    await db.close()
  })

  test('source is not there -> fails, and no directory', async () => {
    const { exit, errors } = await run('restore', path('absent'), path('again'))
    expect(exit).toBe(EXIT_FAILED)
    expect(errors).toContain('ENOENT')
    expect(existsSync(path('again'))).toBe(false)
  })

  test('what a killed restore left -> is no database, and the next one succeeds', async () => {
    await makeNotes(path('db'), COUNT)
    await run('backup', path('db'), path('copy.entidb'))
    mkdirSync(path('again'))
    writeFileSync(join(path('again'), 'data.entidb.new'), readFileSync(path('copy.entidb')))
    truncateSync(join(path('again'), 'data.entidb.new'), 20_000)
    expect((await run('restore', path('copy.entidb'), path('again'))).exit).toBe(EXIT_OK)
    await expectNotes(path('again'))
  })
})
