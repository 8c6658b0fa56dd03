/** `entidb query` on real directories. */
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../cli/exit-codes.ts'
import { makeThings, run } from '../data/entity-samples.test-kit.ts'
import {
  filesOf,
  makeNotes,
  openNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

async function json(...words: string[]) {
  const { exit, output, errors } = await run('query', path('db'), ...words, '--json')
  expect([exit, errors]).toEqual([EXIT_OK, ''])
  return JSON.parse(output)
}

describe('entidb query', () => {
  test('table -> a page of entities, and how to get the next one; nothing changes', async () => {
    await makeNotes(path('db'), 30)
    const before = filesOf(path('db'))
    const { exit, output } = await run('query', path('db'), 'notes', '--fields', 'id,kind')
    expect(exit).toBe(EXIT_OK)
    expect(output).toContain('│ id  │ kind │')
    expect(output.match(/│ n\d+/g)).toHaveLength(20)
    expect(filesOf(path('db'))).toEqual(before)
    const [, token = ''] = /--after (\S+)/.exec(output) ?? []
    const second = await run('query', path('db'), 'notes', '--after', token)
    expect(second.output.match(/│ n\d+/g)).toHaveLength(10)
    expect(second.output).not.toContain('--after')
    expect((await run('query', path('db'), 'notes', '{"kind":99}')).output).toBe('No entities.\n')
  })

  test('table -> long text is cut, control characters do nothing', async () => {
    await makeNotes(path('db'), 1)
    const db = await openNotes(path('db'))
    await db.collection('notes').put({ id: 'x', kind: 1, text: `\u001b[31m${'y'.repeat(100)}` })
    await db.close()
    const { output } = await run('query', path('db'), 'notes', '{"id":"x"}')
    expect(output).not.toContain('\u001b')
    expect(output).toContain('y…')
  })

  test('--json -> items in the JSON of values, pages by next', async () => {
    await makeNotes(path('db'), 30)
    const words = [
      'notes',
      '{"kind":{"in":[1,2]}}',
      '--order-by',
      'kind:desc,id:desc',
      '--limit',
      '4',
    ]
    const first = await json(...words)
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual(['n9', 'n23', 'n2', 'n16'])
    const second = await json(...words, '--after', first.next)
    expect(second.items.map(({ id }: { id: string }) => id)).toEqual(['n8', 'n29', 'n22', 'n15'])
    const third = await json(...words, '--after', second.next)
    expect(third).toEqual({ items: [expect.objectContaining({ id: 'n1' })] })
  })

  test('values of every type -> asked for as they are shown', async () => {
    await makeThings(path('db'))
    const { items } = await json('things', '{"id":"dates"}')
    expect(items[0].list[1]).toEqual({ $date: '1969-12-31T23:59:59.999Z' })
    for (const [where, id] of [
      ['{"list":{"has":{"$date":"1970-01-01"}}}', 'dates'],
      ['{"list":{"has":{"$bigint":"18446744073709551616"}}}', 'bigints'],
      ['{"list":{"has":{"$bytes":"AP8K"}}}', 'bytes'],
      ['{"list":{"has":{"$number":"NaN"}}}', 'numbers'],
      ['{"a":{"eq":{"$$date":"x"}}}', 'forms'],
    ] as const) {
      expect((await json('things', where, '--fields', 'id')).items).toEqual([{ id }])
    }
  })

  test('--count, --explain -> only that', async () => {
    await makeNotes(path('db'), 30)
    const where = '{"kind":3}'
    expect(await json('notes', where, '--count')).toEqual({ count: 4 })
    expect(await json('notes', where, '--explain')).toMatchObject({ index: 'byKind', scanned: 4 })
    expect((await run('query', path('db'), 'notes', where, '--count')).output).toBe('4\n')
    const { output } = await run('query', path('db'), 'notes', '{"text":"x"}', '--explain')
    expect(output).toMatch(/index +none.*\n.*\n.*\nscanned +30\n/)
  })

  test('formats -> all answers, or as many as asked for', async () => {
    await makeNotes(path('db'), 30)
    const lines = async (...words: string[]) =>
      (await run('query', path('db'), 'notes', ...words)).bytes.toString().split('\n')
    expect(await lines('--format', 'ndjson')).toHaveLength(31)
    expect(await lines('{"kind":1}', '--format', 'csv', '--limit', '2', '--fields', 'id')).toEqual([
      'id',
      'n1',
      'n15',
      '',
    ])
    expect(JSON.parse((await lines('--format', 'json', '--limit', '3')).join(''))).toHaveLength(3)
  })

  test('query that makes no sense -> invalid_query', async () => {
    await makeNotes(path('db'), 1)
    for (const words of [['{"kind":{"x":1}}'], ['[]'], ['{}', '--after', 'nonsense']]) {
      const { exit, errors } = await run('query', path('db'), 'notes', ...words)
      expect(exit).toBe(EXIT_FAILED)
      expect(errors).toContain('invalid_query')
    }
  })

  test.each([
    ['JSON that is none', ['{']],
    ['two views', ['--count', '--explain']],
    ['a view and a format', ['--count', '--format', 'json']],
    ['--json and a format', ['--format', 'ndjson', '--json']],
    ['an unknown format', ['--format', 'cbor']],
    ['--after of a stream', ['--format', 'ndjson', '--after', 'x']],
    ['a page of nothing', ['--limit', '0']],
  ])('%s -> usage error', async (_, words) => {
    await makeNotes(path('db'), 1)
    expect((await run('query', path('db'), 'notes', ...words)).exit).toBe(EXIT_USAGE)
  })

  test('collection unknown, database in use -> their errors', async () => {
    const db = await openNotes(path('db'))
    expect((await run('query', path('db'), 'notes')).errors).toContain('database_locked')
    await db.close()
    expect((await run('query', path('db'), 'x')).errors).toContain('unknown_collection')
  })
})
