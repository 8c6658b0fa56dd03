/** CSV out and in. */
import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../cli/usage-error.ts'
import { INPUT_START, type InputPosition } from '../input/input-record.ts'
import { formatRows } from '../output/row-format.ts'
import { parseColumnTypes } from './csv-columns.ts'
import { csvReader, inferColumnTypes } from './read-csv.ts'

async function* inChunks(text: string | Uint8Array, size = 5): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

interface ReadOptions {
  readonly types?: string
  readonly start?: InputPosition
  readonly delimiter?: string
}

async function readAll(text: string, options: ReadOptions = {}) {
  const { types, start = INPUT_START, delimiter = ',' } = options
  const named = types === undefined ? new Map() : parseColumnTypes(types)
  const inferred = await inferColumnTypes(inChunks(text), { delimiter, types: named })
  const records = []
  for await (const record of csvReader({ delimiter, types: inferred })(inChunks(text), start)) {
    records.push({ entity: decodeEntity(record.encode()), place: record.place, end: record.end })
  }
  return records
}

const entitiesOf = async (text: string, options: ReadOptions = {}) =>
  (await readAll(text, options)).map(({ entity }) => entity)

async function toCsv(entities: readonly object[], fields?: readonly (readonly string[])[]) {
  const rows = async function* () {
    for (const entity of entities) yield encodeEntity(entity)
  }
  let text = ''
  for await (const piece of formatRows(rows, { format: 'csv', delimiter: ',', fields }))
    text += piece
  return text
}

describe('CSV in', () => {
  test('columns -> types that all their cells have; ids stay strings', async () => {
    const text = 'id,n,mixed,zip,flag,none,far.away\n1,1.5,7,01234,true,,x\n2,-3,a,5,false,,\n'
    expect(await entitiesOf(text)).toEqual([
      { id: '1', n: 1.5, mixed: '7', zip: '01234', flag: true, far: { away: 'x' } },
      { id: '2', n: -3, mixed: 'a', zip: '5', flag: false },
    ])
  })

  test('types named -> those, * for the rest', async () => {
    const text = 'id,a,b,c,d,e,f\nx,1,2026-01-31,12,true,Af8=,"[{""$date"":""2026-01-31""}]"\n'
    const types = 'a:string,b:date,c:bigint,d:boolean,e:bytes,f:json'
    const born = new Date('2026-01-31T00:00:00Z')
    expect(await entitiesOf(text, { types })).toEqual([
      { id: 'x', a: '1', b: born, c: 12n, d: true, e: Uint8Array.of(1, 255), f: [born] },
    ])
    expect(await entitiesOf('id,a,b\nx,1,2\n', { types: 'a:number,*:string' })).toEqual([
      { id: 'x', a: 1, b: '2' },
    ])
  })

  test('empty cells -> no value; quoted -> empty text', async () => {
    expect(await entitiesOf('id,a,b,c\nx,,"",","\ny,"q""r",,\n')).toEqual([
      { id: 'x', b: '', c: ',' },
      { id: 'y', a: 'q"r' },
    ])
  })

  test('byte order mark, CRLF, line ends in cells, another delimiter -> read', async () => {
    expect(await entitiesOf('\ufeffid;a\r\n\r\nx;"1\n2"\r\ny;z', { delimiter: ';' })).toEqual([
      { id: 'x', a: '1\n2' },
      { id: 'y', a: 'z' },
    ])
  })

  test('names that are code elsewhere -> data', async () => {
    const [entity] = await entitiesOf('id,__proto__.a,constructor\nx,1,2\n')
    expect(Object.keys(Object(entity))).toEqual(['id', '__proto__', 'constructor'])
  })

  test('a header of 150,000 columns -> read', async () => {
    const names = Array.from({ length: 150_000 }, (_, i) => `c${i}`)
    const text = `id,${names.join()}\nx,${names.map(() => '1').join()}\n`
    const bytes = Buffer.from(text)
    const chunks = async function* () {
      yield bytes
    }
    const options = { delimiter: ',', types: new Map() }
    const types = await inferColumnTypes(chunks(), options)
    let records = 0
    for await (const _ of csvReader({ ...options, types })(chunks(), INPUT_START)) records++
    expect(records).toBe(1)
  })

  test('any cells -> from each position the rest', async () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '"', '\n', ',', '\r\n'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell)), async (rows) => {
        const entities = rows.map(([a, b], i) => ({ id: `x${i}`, a, b }))
        const text = await toCsv(entities, [['id'], ['a'], ['b']])
        const all = await readAll(text, { types: '*:string' })
        expect(all.map(({ entity }) => entity)).toEqual(entities)
        for (const [index, { end }] of all.entries()) {
          expect(await readAll(text, { types: '*:string', start: end })).toEqual(
            all.slice(index + 1),
          )
        }
      }),
      { numRuns: 50 },
    )
  })

  test.each([
    ['empty', '', { offset: 0, line: 1 }, 'no column id'],
    ['no id', 'a,b\n1,2\n', { offset: 0, line: 1 }, 'no column id'],
    ['a column twice', 'id,a,a\n', { offset: 0, line: 1 }, 'twice'],
    ['a column without a name', 'id,,a\n', { offset: 0, line: 1 }, 'without a name'],
    ['value and object', 'id,a.b.c,a.b\n', { offset: 0, line: 1 }, 'a.b as a value'],
    ['a path without end', `id,a${'.a'.repeat(64)}\n`, { line: 1 }, 'that no entity has'],
    ['a cell too few', 'id,a\nx,1\ny\n', { offset: 9, line: 3 }, '1 cells'],
    ['a cell too many', 'id,a\nx,1,2\n', { offset: 5, line: 2 }, '3 cells'],
    ['a quote inside', 'id,a\nx,"1"2\n', { offset: 5, line: 2 }, 'no CSV'],
    ['a quote left open', 'id,a\nx,"1\n\n', { offset: 5 }, 'not closed'],
  ])('%s -> invalid_input with its place', async (_, text, details, message) => {
    await expect(readAll(text)).rejects.toMatchObject({
      code: 'invalid_input',
      details,
      message: expect.stringContaining(message),
    })
  })

  test.each([
    ['n:number', '1x'],
    ['n:number', '0x10'],
    ['n:boolean', 'yes'],
    ['n:bigint', '1.5'],
    ['n:date', '31.1.2026'],
    ['n:bytes', 'a'],
    ['n:json', '{'],
    ['n:json', '{"$oid":1}'],
  ])('%s: a cell %s -> invalid_input', async (types, cell) => {
    const text = `id,n\nx,"${cell.replaceAll('"', '""')}"\n`
    await expect(readAll(text, { types })).rejects.toMatchObject({
      code: 'invalid_input',
      details: { line: 2 },
    })
  })

  test('a bigint longer than that of any entity -> invalid_input, not read', async () => {
    const reading = readAll(`id,n\nx,${'1'.repeat(160_001)}\n`, { types: 'n:bigint' })
    await expect(reading).rejects.toMatchObject({ code: 'invalid_input', details: { line: 2 } })
  })

  test('types that make no sense -> usage error', async () => {
    for (const types of ['n', 'n:integer', ':number', 'n:number,', 'absent:number', 'id:number']) {
      await expect(readAll('id,n\nx,1\n', { types })).rejects.toThrow(UsageError)
    }
  })
})

describe('CSV out', () => {
  test('every type -> its text; objects -> columns of their own', async () => {
    const text = await toCsv([
      {
        id: 'a',
        n: -0,
        big: 5n,
        at: new Date(0),
        bytes: Uint8Array.of(1),
        deep: { x: { y: true } },
      },
      { id: 'b', n: Number.NaN, empty: '', none: null, list: [1, new Date(0)], object: {} },
    ])
    expect(text.split('\n')).toEqual([
      'id,n,at,big,deep.x.y,bytes,list,none,empty,object',
      'a,-0,1970-01-01T00:00:00.000Z,5,true,AQ==,,,,',
      'b,NaN,,,,,"[1,{""$date"":""1970-01-01T00:00:00.000Z""}]",,"",{}',
      '',
    ])
  })

  test('fields -> these columns, also of what is not there', async () => {
    const text = await toCsv([{ id: 'a', deep: { x: 1 } }], [['deep', 'x'], ['no'], ['deep']])
    expect(text).toBe('deep.x,no,deep\n1,,"{""x"":1}"\n')
  })

  test('more columns than a table has -> usage error', async () => {
    const wide = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`c${i}`, i]))
    await expect(toCsv([{ id: 'a', ...wide }])).rejects.toThrow(UsageError)
  })
})
