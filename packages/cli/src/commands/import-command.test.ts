/** `entidb import` on real directories and files. */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { DbOperation } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { fileStorage } from '@entidb/core/node'
import { openStored, readToolState } from '@entidb/core/tools'
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import { run, runWithInput } from '../data/entity-samples.test-kit.ts'
import {
  filesOf,
  makeNotes,
  noteOf,
  openNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

const lineOf = (i: number): string => `${JSON.stringify(noteOf(i))}\n`

function linesOf(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => lineOf(from + i)).join('')
}

/** What a run with --json said. */
async function imported(...words: string[]) {
  const { exit, output, errors } = await run('import', ...words, '--json')
  expect([exit, errors]).toEqual([EXIT_OK, ''])
  return JSON.parse(output)
}

async function refused(...words: string[]) {
  const { exit, output, errors } = await run('import', ...words, '--json')
  expect([exit, output]).toEqual([EXIT_FAILED, ''])
  return JSON.parse(errors)
}

async function stateOf(directory: string): Promise<unknown> {
  const db = await openStored({ storage: fileStorage(directory) })
  const state = await db.transaction((tx) => readToolState(tx, 'import:notes'))
  await db.close()
  return state
}

/** The notes are these, their index agrees, and nothing of an import is left. */
async function expectNotes(directory: string, count: number): Promise<void> {
  const db = await openNotes(directory)
  expect(await db.collection('notes').count()).toBe(count)
  const ofKind = await db.collection('notes').count({ where: { kind: 3 } })
  expect(ofKind).toBe(Math.floor((count + 3) / 7))
  expect((await db.verify()).problems).toEqual([])
  await db.close()
  expect(await stateOf(directory)).toBeUndefined()
}

describe('entidb import', () => {
  test('into a collection of an application -> there, indexed, in the change feed as local edits', async () => {
    await makeNotes(path('db'), 2)
    writeFileSync(path('n.ndjson'), linesOf(2, 30))
    const { exit, output } = await run(
      'import',
      path('db'),
      'notes',
      path('n.ndjson'),
      '--batch',
      '10',
    )
    expect([exit, output]).toEqual([EXIT_OK, expect.stringContaining('28 inserted')])
    await expectNotes(path('db'), 30)
    const db = await openNotes(path('db'))
    const transactions = new Map<number, DbOperation[]>()
    for await (const op of db.changes({ wait: false })) {
      expect(op.origin).toBe('local')
      transactions.set(op.transactionId, [...(transactions.get(op.transactionId) ?? []), op])
    }
    expect([...transactions.values()].map((operations) => operations.length)).toEqual([
      2, 10, 10, 8,
    ])
    await db.close()
  })

  test('--json -> what was done', async () => {
    await makeNotes(path('db'), 0)
    writeFileSync(path('n.ndjson'), linesOf(0, 3))
    expect(await imported(path('db'), 'notes', path('n.ndjson'))).toEqual({
      ...{ directory: path('db'), collection: 'notes', source: path('n.ndjson'), format: 'ndjson' },
      ...{ dryRun: false, records: 3, bytes: linesOf(0, 3).length, resumedAfter: 0 },
      ...{ inserted: 3, replaced: 0, unchanged: 0, skipped: 0 },
    })
  })

  test('ids that are there -> fail, skip or replace', async () => {
    await makeNotes(path('db'), 10)
    const changed = `${JSON.stringify({ ...noteOf(3), text: 'changed' })}\n`
    writeFileSync(path('n.ndjson'), lineOf(10) + lineOf(2) + changed)
    const words = [path('db'), 'notes', path('n.ndjson')]
    expect(await refused(...words)).toMatchObject({
      code: 'entity_exists',
      details: { id: 'n2', line: 2, offset: lineOf(10).length, file: path('n.ndjson') },
    })
    expect(await stateOf(path('db'))).toBeUndefined()
    expect(await imported(...words, '--on-conflict', 'skip')).toMatchObject({
      inserted: 1,
      skipped: 2,
    })
    expect(await imported(...words, '--on-conflict', 'replace')).toMatchObject({
      ...{ inserted: 0, replaced: 1, unchanged: 2, skipped: 0 },
    })
    await expectNotes(path('db'), 11)
  })

  test('broken off by a bad record -> what was done is told; the same command goes on behind it', async () => {
    await makeNotes(path('db'), 0)
    const good = linesOf(0, 25)
    writeFileSync(path('n.ndjson'), `${good}{"id":\n${linesOf(25, 40)}`)
    const words = [path('db'), 'notes', path('n.ndjson'), '--batch', '10']
    const error = await refused(...words)
    const bytes = linesOf(0, 20).length
    expect(error).toMatchObject({
      code: 'invalid_input',
      details: { line: 26, offset: good.length, imported: { records: 20, bytes } },
    })
    expect(error.message).toContain('run the same command again')
    expect(await stateOf(path('db'))).toMatchObject({
      format: 'ndjson',
      records: 20,
      bytes,
      lines: 20,
    })
    // The same again: nothing more, and nothing twice.
    expect(await refused(...words)).toMatchObject({ details: { imported: { records: 20 } } })
    writeFileSync(path('n.ndjson'), linesOf(0, 40))
    expect(await imported(...words)).toMatchObject({ records: 40, resumedAfter: 20, inserted: 20 })
    await expectNotes(path('db'), 40)
  })

  test.each([
    [
      'json',
      (from: number, to: number) =>
        Buffer.from(`[${linesOf(from, to).trim().replaceAll('\n', ',')}]`),
    ],
    ['csv', (from: number, to: number) => Buffer.from(`id,kind,text\n${csvLines(from, to)}`)],
    [
      'cbor',
      (from: number, to: number) =>
        Buffer.concat(notes(from, to).map((note) => encodeEntity(note))),
    ],
  ] as const)(
    '%s, broken off by a conflict -> goes on where it was, from stdin too',
    async (format, write) => {
      await makeNotes(path('db'), 0)
      writeFileSync(path('one'), lineOf(33))
      await imported(path('db'), 'notes', path('one'), '--format', 'ndjson')
      writeFileSync(path('file'), write(0, 50))
      const words = ['notes', path('file'), '--format', format, '--batch', '10']
      expect(await refused(path('db'), ...words)).toMatchObject({
        code: 'entity_exists',
        details: { id: 'n33', imported: { records: 30 } },
      })
      const piped = [
        'notes',
        '-',
        '--format',
        format,
        '--batch',
        '10',
        '--on-conflict',
        'skip',
        '--json',
      ]
      const typed = format === 'csv' ? [...piped, '--types', 'kind:number'] : piped
      const bytes = write(0, 50)
      const pieces = [bytes.subarray(0, 700), bytes.subarray(700)]
      const { exit, output } = await runWithInput(pieces, 'import', path('db'), ...typed)
      expect(exit).toBe(EXIT_OK)
      expect(JSON.parse(output)).toMatchObject({
        records: 50,
        resumedAfter: 30,
        inserted: 19,
        skipped: 1,
      })
      await expectNotes(path('db'), 50)
    },
  )

  test('another file meanwhile -> import_unfinished, nothing done; --restart forgets', async () => {
    await makeNotes(path('db'), 0)
    writeFileSync(path('n.ndjson'), `${linesOf(0, 20)}x\n`)
    await refused(path('db'), 'notes', path('n.ndjson'), '--batch', '10')
    const before = await stateOf(path('db'))
    writeFileSync(path('other.ndjson'), linesOf(20, 50))
    writeFileSync(path('short.ndjson'), linesOf(0, 5))
    writeFileSync(path('n.json'), `[${lineOf(20)}]`)
    for (const name of ['other.ndjson', 'short.ndjson', 'n.json']) {
      expect(await refused(path('db'), 'notes', path(name))).toMatchObject({
        code: 'import_unfinished',
        details: { collection: 'notes', records: 20, format: 'ndjson' },
      })
    }
    expect(await stateOf(path('db'))).toEqual(before)
    const words = [path('db'), 'notes', path('other.ndjson'), '--restart']
    expect(await imported(...words)).toMatchObject({ inserted: 30, resumedAfter: 0 })
    await expectNotes(path('db'), 50)
  })

  test('file that grew meanwhile -> what was added is imported too', async () => {
    await makeNotes(path('db'), 0)
    writeFileSync(path('n.ndjson'), linesOf(0, 20))
    appendFileSync(path('n.ndjson'), 'x')
    await refused(path('db'), 'notes', path('n.ndjson'), '--batch', '20')
    writeFileSync(path('n.ndjson'), linesOf(0, 30))
    expect(await imported(path('db'), 'notes', path('n.ndjson'))).toMatchObject({ inserted: 10 })
    await expectNotes(path('db'), 30)
  })

  test('stopped by Ctrl-C -> what was done is told, and the same command goes on', async () => {
    await makeNotes(path('db'), 0)
    writeFileSync(path('n.ndjson'), linesOf(0, 30))
    const environment = createTestEnvironment()
    environment.interrupt()
    const words = ['import', path('db'), 'notes', path('n.ndjson'), '--batch', '10']
    expect(await runCli(words, environment)).toBe(EXIT_FAILED)
    expect(environment.errors()).toMatch(/^entidb: interrupted\n10 records.*again to go on/)
    expect(await stateOf(path('db'))).toMatchObject({ records: 10 })
    expect((await run(...words)).exit).toBe(EXIT_OK)
    await expectNotes(path('db'), 30)
  })

  test('--dry-run -> everything is checked and nothing written', async () => {
    await makeNotes(path('db'), 5)
    const words = [path('db'), 'notes', path('n.ndjson'), '--dry-run', '--batch', '10']
    writeFileSync(path('n.ndjson'), linesOf(5, 30))
    expect(await imported(...words)).toMatchObject({ dryRun: true, records: 25, inserted: 25 })
    writeFileSync(path('n.ndjson'), `${linesOf(5, 30)}{"id":""}\n`)
    const error = await refused(...words)
    expect(error).toMatchObject({ code: 'invalid_id', details: { line: 26 } })
    expect(error.message).not.toContain('again')
    writeFileSync(path('n.ndjson'), linesOf(4, 30))
    expect(await refused(...words)).toMatchObject({ code: 'entity_exists' })
    await expectNotes(path('db'), 5)
    for (const target of ['db', 'new']) {
      const create = [path(target), 'fresh', path('n.ndjson'), '--dry-run', '--create']
      expect(await imported(...create)).toMatchObject({ inserted: 26 })
    }
    expect(existsSync(path('new'))).toBe(false)
    expect((await run('query', path('db'), 'fresh')).errors).toContain('unknown_collection')
  })

  test('--create -> the collection, and the database where there is none', async () => {
    writeFileSync(path('n.ndjson'), linesOf(0, 20))
    const words = ['notes', path('n.ndjson')]
    expect((await run('import', path('db'), ...words)).errors).toContain('not_a_database')
    expect(existsSync(path('db'))).toBe(false)
    expect(await imported(path('db'), ...words, '--create')).toMatchObject({ inserted: 20 })
    const unknown = await refused(path('db'), 'more', path('n.ndjson'))
    expect(unknown).toMatchObject({ code: 'unknown_collection' })
    expect(unknown.message).toContain('--create')
    expect(await imported(path('db'), 'more', path('n.ndjson'), '--create')).toMatchObject({
      inserted: 20,
    })
    const other = [path('n.ndjson'), '--create', '--schema-version', '2']
    expect((await run('import', path('db'), 'more', ...other)).exit).toBe(EXIT_USAGE)
    expect(await imported(path('db'), 'newer', ...other)).toMatchObject({ inserted: 20 })
    // The application adds its index.
    await expectNotes(path('db'), 20)
  })

  test('CSV -> types of columns as they are, or as told', async () => {
    writeFileSync(path('p.csv'), 'id;zip;age;born\n1;01234;36;2026-01-31\n2;99999;;\n')
    const words = [path('db'), 'people', path('p.csv'), '--create', '--delimiter', ';']
    await imported(...words, '--types', 'born:date')
    const { bytes } = await run('query', path('db'), 'people', '--format', 'ndjson')
    expect(bytes.toString().split('\n')).toEqual([
      '{"id":"1","age":36,"zip":"01234","born":{"$date":"2026-01-31T00:00:00.000Z"}}',
      '{"id":"2","zip":"99999"}',
      '',
    ])
  })

  test.each([
    ['n.ndjson', '{"id":"a"}\n{"id":"b"\n', 'invalid_input', { line: 2, offset: 11 }],
    ['n.ndjson', '{"id":"a","n":12345678901234567890}\n', 'invalid_input', { line: 1 }],
    ['n.ndjson', '{"id":"a"}\n{"id":7}\n', 'invalid_id', { line: 2 }],
    ['n.ndjson', '{"id":"a"}\n{"name":"x"}\n', 'invalid_id', { line: 2 }],
    ['n.ndjson', `{"id":"${'x'.repeat(513)}"}\n`, 'invalid_id', { line: 1 }],
    ['n.ndjson', '{"id":"a","s":"\\ud800"}\n', 'invalid_entity', { line: 1, path: 's' }],
    ['n.json', '[{"id":"a"},\n{"id":"b"}', 'invalid_input', { line: 2, offset: 23 }],
    ['n.json', '{"id":"a"}', 'invalid_input', { line: 1, offset: 0 }],
    ['n.csv', 'name\nx\n', 'invalid_input', { line: 1, offset: 0 }],
    ['n.csv', 'id,a\nx,1\ny,2,3\n', 'invalid_input', { line: 3, offset: 9 }],
    ['n.csv', 'id,a\nx,"1"2\n', 'invalid_input', { line: 2, offset: 5 }],
    ['n.cbor', Buffer.from('a16269646161a16269', 'hex'), 'invalid_input', { offset: 6 }],
    ['n.cbor', Buffer.from('a16269646161a2', 'hex'), 'invalid_input', { offset: 6 }],
    ['n.cbor', Buffer.from('a16269646161a1626964f93c00', 'hex'), 'invalid_cbor', { offset: 6 }],
    ['n.cbor', Buffer.from('a162696401', 'hex'), 'invalid_id', { offset: 0 }],
  ] as const)(
    '%s %j -> %s with file and place, and nothing written',
    async (name, text, code, place) => {
      await makeNotes(path('db'), 0)
      writeFileSync(path(name), text)
      const error = await refused(path('db'), 'notes', path(name))
      expect(error).toMatchObject({ code, details: { file: path(name), ...place } })
      expect(error.message).toContain(`${path(name)}, `)
      await expectNotes(path('db'), 0)
    },
  )

  test('entity beyond its bytes -> invalid_entity, too_large', async () => {
    await makeNotes(path('db'), 0)
    writeFileSync(path('n.ndjson'), `{"id":"a","text":"${'x'.repeat(16 * 1024 * 1024)}"}\n`)
    expect(await refused(path('db'), 'notes', path('n.ndjson'))).toMatchObject({
      code: 'invalid_entity',
      details: { reason: 'too_large', line: 1 },
    })
  })

  test('database in use, file absent -> their errors, and nothing changes', async () => {
    const db = await openNotes(path('db'))
    writeFileSync(path('n.ndjson'), linesOf(0, 3))
    expect(await refused(path('db'), 'notes', path('n.ndjson'))).toMatchObject({
      code: 'database_locked',
    })
    await db.close()
    const before = filesOf(path('db'))
    expect(await refused(path('db'), 'notes', path('absent.ndjson'))).toMatchObject({
      code: 'ENOENT',
    })
    expect(filesOf(path('db'))).toEqual(before)
  })

  test.each([
    ['no format to be seen', ['notes', 'n']],
    ['an unknown format', ['notes', 'n', '--format', 'xml']],
    ['an unknown way with conflicts', ['notes', 'n', '--format', 'csv', '--on-conflict', 'merge']],
    ['a batch of nothing', ['notes', 'n', '--format', 'csv', '--batch', '0']],
    ['types that make no sense', ['notes', 'n', '--format', 'csv', '--types', 'a:b']],
    ['types of what has none', ['notes', 'n', '--format', 'ndjson', '--types', '*:string']],
    ['a system collection', ['_notes', 'n', '--format', 'ndjson']],
    [
      'a schema version of nothing new',
      ['notes', 'n', '--format', 'ndjson', '--schema-version', '2'],
    ],
  ])('%s -> usage error', async (_, [collection = '', name = '', ...options]) => {
    await makeNotes(path('db'), 0)
    writeFileSync(path('n'), lineOf(0))
    const { exit } = await run('import', path('db'), collection, path(name), ...options)
    expect(exit).toBe(EXIT_USAGE)
    expect(readdirSync(path('.')).sort()).toEqual(['db', 'n'])
    expect(readFileSync(path('n'), 'utf8')).toBe(lineOf(0))
  })
})

const notes = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => noteOf(from + i))

const csvLines = (from: number, to: number) =>
  notes(from, to)
    .map(({ id, kind, text }) => `${id},${kind},${text}\n`)
    .join('')
