/** The readers of NDJSON, JSON and CBOR sequences. */
import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvReader } from '../csv/read-csv.ts'
import { INPUT_START, type InputPosition, type RecordReader } from './input-record.ts'
import { readCborSequence } from './read-cbor-sequence.ts'
import { readJsonArray } from './read-json-array.ts'
import { readNdjson } from './read-ndjson.ts'

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

async function readAll(
  read: RecordReader,
  bytes: Uint8Array,
  chunkBytes = 7,
  start: InputPosition = INPUT_START,
) {
  const records = []
  for await (const { place, end, encode } of read(inChunks(bytes, chunkBytes), start)) {
    records.push({ place, end, entity: decodeEntity(encode()) })
  }
  return records
}

const formats: Readonly<Record<string, { read: RecordReader; write: (list: object[]) => Buffer }>> =
  {
    ndjson: {
      read: readNdjson,
      write: (list) => Buffer.from(list.map((entity) => `${JSON.stringify(entity)}\n`).join('')),
    },
    json: { read: readJsonArray, write: (list) => Buffer.from(JSON.stringify(list, undefined, 1)) },
    cbor: {
      read: readCborSequence,
      write: (list) => Buffer.concat(list.map((e) => encodeEntity(e))),
    },
  }

const entities = fc.array(
  fc.record({
    id: fc.string({ minLength: 1 }),
    text: fc.string({ unit: 'binary' }),
    list: fc.array(
      fc.oneof(
        fc.constantFrom('[', '}', '"', '\\', '\n'),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      ),
    ),
  }),
)

describe.each(Object.entries(formats))('reader: %s', (_, { read, write }) => {
  test('any entities in any chunks -> those, and from each position the rest', async () => {
    await fc.assert(
      fc.asyncProperty(entities, fc.integer({ min: 1, max: 50 }), async (list, chunkBytes) => {
        const bytes = write(list)
        const all = await readAll(read, bytes, chunkBytes)
        expect(all.map(({ entity }) => encodeEntity(entity))).toEqual(
          list.map((e) => encodeEntity(e)),
        )
        expect(all.map(({ end }) => end.records)).toEqual(list.map((_, i) => i + 1))
        for (const [index, { end }] of all.entries()) {
          expect(await readAll(read, bytes, chunkBytes, end)).toEqual(all.slice(index + 1))
        }
      }),
      { numRuns: 100 },
    )
  })

  test('no entities -> none', async () => {
    expect(await readAll(read, write([]))).toEqual([])
  })
})

describe('reader: NDJSON', () => {
  test('empty lines, CRLF, a byte order mark, no newline at the end -> read all the same', async () => {
    const text = '\ufeff{"id":"a"}\r\n\r\n  \n{"id":"b"}'
    const records = await readAll(readNdjson, Buffer.from(text))
    expect(records.map(({ entity }) => entity)).toEqual([{ id: 'a' }, { id: 'b' }])
    expect(records.map(({ place }) => place)).toEqual([
      { offset: 0, line: 1 },
      { offset: 20, line: 4 },
    ])
    expect(records[1]?.end).toEqual({ bytes: 30, lines: 3, records: 2 })
  })
})

const readCsv = csvReader({ delimiter: ',', types: new Map() })

describe.each([
  ['NDJSON', 'broken', readNdjson, '{"id":"a"}\n{"id":\n', { line: 2, offset: 11 }],
  ['NDJSON', 'cut off', readNdjson, '{"id":"a"}\n{"id":"b"', { line: 2, offset: 11 }],
  ['NDJSON', 'an array', readNdjson, '[]\n', { line: 1, offset: 0 }],
  ['NDJSON', 'not UTF-8', readNdjson, Buffer.of(0x7b, 0xff, 0x7d), { line: 1, offset: 0 }],
  ['JSON', 'empty', readJsonArray, '', { line: 1, offset: 0 }],
  ['JSON', 'no array', readJsonArray, '{"id":"a"}', { line: 1, offset: 0 }],
  ['JSON', 'cut off between', readJsonArray, '[{"id":"a"}', { line: 1, offset: 11 }],
  ['JSON', 'cut off inside', readJsonArray, '[\n{"id":"a"},\n{"id":', { line: 3, offset: 14 }],
  ['JSON', 'no comma', readJsonArray, '[{"id":"a"} {"id":"b"}]', { line: 1, offset: 12 }],
  ['JSON', 'a comma too many', readJsonArray, '[{"id":"a"},]', { line: 1, offset: 12 }],
  ['JSON', 'no entity', readJsonArray, '[1]', { line: 1, offset: 1 }],
  ['JSON', 'something behind', readJsonArray, '[] x', { line: 1, offset: 3 }],
  ['JSON', 'mismatched brackets', readJsonArray, '[{"id":"a"]]', { line: 1, offset: 1 }],
  ['CSV', 'not UTF-8', readCsv, Buffer.from('69640ac3a40aff62', 'hex'), { offset: 6 }],
  ['CSV', 'cut off in a character', readCsv, Buffer.from('69640ac3a4e282', 'hex'), { offset: 5 }],
  [
    'CSV',
    'a character broken by another',
    readCsv,
    Buffer.from('69640ae28241', 'hex'),
    { offset: 3 },
  ],
  ['CBOR', 'cut off', readCborSequence, Buffer.from('a16269646161a1', 'hex'), { offset: 6 }],
  [
    'CBOR',
    'cut off in a length',
    readCborSequence,
    Buffer.from('a16269645b', 'hex'),
    { offset: 0 },
  ],
  ['CBOR', 'an open length', readCborSequence, Buffer.from('a16269646161bf', 'hex'), { offset: 6 }],
  [
    'CBOR',
    'a length beyond reason',
    readCborSequence,
    Buffer.from('5bffffffffffffffff', 'hex'),
    { offset: 0 },
  ],
])('bad input: %s %s', (_, __, read, input, details) => {
  test('-> invalid_input with its place', async () => {
    for (const chunkBytes of [1, 1000]) {
      const reading = readAll(read, Buffer.from(input), chunkBytes)
      await expect(reading).rejects.toMatchObject({ code: 'invalid_input', details })
    }
  })
})

test.each([
  ['NDJSON', readNdjson, '', '{"id":"a"}\n'.repeat(1000)],
  ['JSON', readJsonArray, '[{"id":"a"}', ',{"id":"a"}'.repeat(1000)],
  ['CSV', csvReader({ delimiter: ',', types: new Map() }), 'id,n\n', 'a,1\n'.repeat(1000)],
  ['CBOR', readCborSequence, '', '\xa1bidaa'.repeat(1000)],
])(
  'reader of %s: records are taken one by one -> little is read ahead',
  async (_, read, head, piece) => {
    let given = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(head, 'latin1')
      for (; ; given++) yield Buffer.from(piece, 'latin1')
    }
    const records = read(endless(), INPUT_START)
    for (let taken = 0; taken < 20_000; taken++) {
      const { value } = await records.next()
      expect(value?.end.records).toBe(taken + 1)
      expect(given * 1000 - taken).toBeLessThan(100_000)
    }
    await records.return()
  },
)

test('record without an end -> invalid_input before memory is full of it', async () => {
  let given = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (const piece = Buffer.alloc(8 * 1024 * 1024, 'a'); ; given++) yield piece
  }
  for (const read of [readNdjson, readJsonArray]) {
    given = 0
    const reading = read(
      (async function* () {
        yield Buffer.from('[{"')
        yield* endless()
      })(),
      INPUT_START,
    ).next()
    await expect(reading).rejects.toMatchObject({ code: 'invalid_input', details: {} })
    expect(given).toBeLessThan(20)
  }
})
