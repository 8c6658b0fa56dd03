/** `entidb export` on real directories and files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { Stopped } from '../cli/stopped.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import { bytesOf, makeThings, openThings, run, samples } from '../data/entity-samples.test-kit.ts'
import {
  filesOf,
  makeNotes,
  openNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

describe('entidb export', () => {
  test.each(['ndjson', 'json', 'cbor'])(
    '%s, imported into a fresh database -> byte for byte the same',
    async (format) => {
      await makeThings(path('db'))
      const file = path(`things.${format}`)
      const before = filesOf(path('db'))
      expect((await run('export', path('db'), 'things', '--out', file)).exit).toBe(EXIT_OK)
      expect(filesOf(path('db'))).toEqual(before)
      const words = ['import', path('fresh'), 'things', file, '--create', '--schema-version', '2']
      expect(await run(...words)).toMatchObject({ exit: EXIT_OK, errors: '' })
      expect(await bytesOf(path('fresh'))).toEqual(await bytesOf(path('db')))
      expect((await bytesOf(path('db'))).size).toBe(samples.length + 1)
      // What an application defined is kept in step.
      const app = await openThings(path('fresh'))
      expect((await app.verify()).problems).toEqual([])
      await app.close()
    },
  )

  test('CBOR -> exactly the stored bytes, one entity behind the other', async () => {
    await makeThings(path('db'))
    const { bytes } = await run('export', path('db'), 'things', '--format', 'cbor')
    const stored = [...(await bytesOf(path('db'))).values()].join('')
    expect(bytes.toString('hex')).toBe(stored)
  })

  test('to stdout -> the report is on stderr', async () => {
    await makeNotes(path('db'), 3)
    const { exit, output, errors, bytes } = await run('export', path('db'), 'notes', '--json')
    expect([exit, output]).toEqual([EXIT_OK, ''])
    const lines = bytes.toString().split('\n')
    expect(lines.slice(0, 3).map((line) => JSON.parse(line).id)).toEqual(['n0', 'n1', 'n2'])
    expect(JSON.parse(errors)).toEqual({
      ...{ directory: path('db'), target: '-', format: 'ndjson', collection: 'notes' },
      ...{ schemaVersion: 1, entities: 3, bytes: bytes.length, schemaVersions: { 1: 3 } },
    })
  })

  test('where, order, fields -> only that', async () => {
    await makeNotes(path('db'), 30)
    const query = [
      '--where',
      '{"kind":{"lt":2}}',
      '--order-by',
      'kind:desc,id',
      '--fields',
      'id,kind',
    ]
    const { bytes } = await run('export', path('db'), 'notes', ...query, '--format', 'csv')
    expect(bytes.toString().split('\n').slice(0, 4)).toEqual(['id,kind', 'n1,1', 'n15,1', 'n22,1'])
    const json = await run('export', path('db'), 'notes', ...query, '--format', 'json')
    expect(JSON.parse(json.bytes.toString())).toHaveLength(10)
    expect(JSON.parse(json.bytes.toString())[0]).toEqual({ id: 'n1', kind: 1 })
  })

  test('collection without entities -> an empty file of the format', async () => {
    await makeThings(path('db'))
    const where = ['--where', '{"id":"absent"}']
    const exported = async (format: string) =>
      (await run('export', path('db'), 'others', ...where, '--format', format)).bytes.toString()
    expect(await exported('json')).toBe('[]\n')
    expect(await exported('ndjson')).toBe('')
    expect(await exported('cbor')).toBe('')
    expect(await exported('csv')).toBe('id\n')
  })

  test('--all -> a file for each collection, in a directory that was not there', async () => {
    await makeThings(path('db'))
    const words = [
      'export',
      path('db'),
      '--all',
      '--format',
      'cbor',
      '--out',
      path('all'),
      '--json',
    ]
    const { exit, output } = await run(...words)
    expect(exit).toBe(EXIT_OK)
    expect(readdirSync(path('all')).sort()).toEqual(['others.cbor', 'things.cbor'])
    expect(JSON.parse(output)).toMatchObject({
      target: path('all'),
      collections: [
        { collection: 'others', entities: 1, file: 'others.cbor' },
        { collection: 'things', entities: samples.length + 1, file: 'things.cbor' },
      ],
    })
    const again = await run(...words)
    expect(again.exit).toBe(EXIT_FAILED)
    expect(JSON.parse(again.errors)).toMatchObject({ code: 'file_exists' })
    expect(readdirSync(path('.')).sort()).toEqual(['all', 'db'])
  })

  test('file is there -> file_exists; with --overwrite replaced; a directory never', async () => {
    await makeNotes(path('db'), 3)
    writeFileSync(path('out.json'), 'mine')
    mkdirSync(path('folder'))
    const to = (name: string, ...more: string[]) =>
      run('export', path('db'), 'notes', '--format', 'json', '--out', path(name), ...more)
    expect((await to('out.json')).errors).toContain('file_exists')
    expect(readFileSync(path('out.json'), 'utf8')).toBe('mine')
    expect((await to('out.json', '--overwrite')).exit).toBe(EXIT_OK)
    expect(JSON.parse(readFileSync(path('out.json'), 'utf8'))).toHaveLength(3)
    expect((await to('folder', '--overwrite')).errors).toContain('file_exists')
    expect(readdirSync(path('.')).sort()).toEqual(['db', 'folder', 'out.json'])
  })

  test('entities of an older shape -> exported as they are, and told', async () => {
    await makeThings(path('db'))
    const db = await openThings(path('db'))
    await db.transaction((tx) =>
      tx.applyRaw({
        ...{ collection: 'things', entityId: 'old', version: 1, schemaVersion: 1 },
        bytes: Buffer.from('a1626964636f6c64', 'hex'),
      }),
    )
    await db.close()
    const { exit, output } = await run('export', path('db'), 'things', '--out', path('t.ndjson'))
    expect(exit).toBe(EXIT_OK)
    expect(output).toContain('1 of them are of version 1')
  })

  test('stopped by Ctrl-C -> no file', async () => {
    await makeNotes(path('db'), 400)
    const environment = createTestEnvironment()
    environment.interrupt()
    const words = ['export', path('db'), 'notes', '--out', path('out.ndjson')]
    expect(await runCli(words, environment)).toBe(EXIT_FAILED)
    expect(readdirSync(path('.'))).toEqual(['db'])
  })

  test('nobody reads stdout any more -> ends without a word', async () => {
    await makeNotes(path('db'), 400)
    for (const reason of [
      new Stopped('nobody reads', true),
      Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }),
    ]) {
      const environment = createTestEnvironment()
      const outputBytes = () => new WritableStream({ write: () => Promise.reject(reason) })
      const words = ['export', path('db'), 'notes']
      expect(await runCli(words, { ...environment, outputBytes })).toBe(EXIT_OK)
      expect(environment.errors()).toBe('')
    }
  })

  test('database in use, absent, without the collection -> their errors, and no file', async () => {
    const to = ['--out', path('out.ndjson')]
    const db = await openNotes(path('db'))
    expect((await run('export', path('db'), 'notes', ...to)).errors).toContain('database_locked')
    await db.close()
    expect((await run('export', path('no'), 'notes', ...to)).errors).toContain('not_a_database')
    const unknown = await run('export', path('db'), 'Notes', ...to)
    expect(unknown.errors).toMatch(/no collection Notes; it has notes \(unknown_collection\)/)
    const query = await run('export', path('db'), 'notes', '--where', '{"kind":{"x":1}}', ...to)
    expect(query.errors).toContain('invalid_query')
    expect(existsSync(path('out.ndjson'))).toBe(false)
    expect(readdirSync(path('.'))).toEqual(['db'])
  })

  test.each([
    ['neither collection nor --all', []],
    ['an unknown format', ['notes', '--format', 'xml']],
    ['where that is no JSON', ['notes', '--where', '{']],
    ['where with a form that says nothing', ['notes', '--where', '{"a":{"$oid":1}}']],
    ['an order without a field', ['notes', '--order-by', ':desc']],
    ['a field inside one that is there', ['notes', '--fields', 'a,a.b']],
    ['an empty field', ['notes', '--fields', 'a,']],
    ['fields of CBOR', ['notes', '--format', 'cbor', '--fields', 'id']],
    ['a delimiter of two characters', ['notes', '--delimiter', ';;']],
    ['--all without a directory', ['--all']],
    ['--all with a collection', ['notes', '--all', '--out', 'x']],
    ['--all with where', ['--all', '--out', 'x', '--where', '{}']],
  ])('%s -> usage error', async (_, words) => {
    await makeNotes(path('db'), 1)
    const { exit } = await run('export', path('db'), ...words)
    expect(exit).toBe(EXIT_USAGE)
    expect(readdirSync(join(path('db'), '..'))).toEqual(['db'])
  })
})
