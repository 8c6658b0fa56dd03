import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { entityFromJsonText, entityToJsonText } from './entity-json.ts'
import { parseJson } from './json-text.ts'
import { fromJson, JsonFormError, toJson } from './json-value.ts'

const dates = fc.date({ noInvalidDate: true })
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '$', '$$', '__proto__', '$date', 'id', '\u2028', '"\\'),
)
const numbers = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 2 ** 53, 2 ** 60, 1e21, 5e-324, 2 ** 1023),
)
const keys = fc.oneof(
  text,
  fc.constantFrom('$date', '$bytes', '$bigint', '$number', '$cbor', '$$date', '$', 'constructor'),
)
/** Every type that an entity can hold. */
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    numbers,
    fc.bigInt(),
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    text,
    dates,
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.tuple(keys, tie('value')).map((entry) => Object.fromEntries([entry])),
  ),
}))

describe('JSON of values', () => {
  test('any value, through text -> the same bytes', () => {
    fc.assert(
      fc.property(values, (value) => {
        const through = fromJson(parseJson(JSON.stringify(toJson(value))))
        expect(Buffer.from(encodeEntity(through))).toEqual(Buffer.from(encodeEntity(value)))
      }),
      { numRuns: 3000 },
    )
  })

  test('any entity, through a line of text -> the same bytes', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.dictionary(keys, values), (id, fields) => {
        const bytes = encodeEntity({ ...fields, id })
        const line = entityToJsonText(bytes)
        expect(line).not.toContain('\n')
        expect(Buffer.from(entityFromJsonText(line))).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('values that JSON has no form for -> the documented forms', () => {
    expect(toJson([-0, Number.NaN, 1n, new Date(0), Uint8Array.of(1, 255)])).toEqual([
      { $number: '-0' },
      { $number: 'NaN' },
      { $bigint: '1' },
      { $date: '1970-01-01T00:00:00.000Z' },
      { $bytes: 'Af8=' },
    ])
  })

  test('an object whose one key begins with $ -> one $ more; with two keys as it is', () => {
    expect(toJson({ $date: 1 })).toEqual({ $$date: 1 })
    expect(toJson({ $$x: { $y: 1 } })).toEqual({ $$$x: { $$y: 1 } })
    expect(toJson({ $date: 1, b: 2 })).toEqual({ $date: 1, b: 2 })
    expect(fromJson({ $$date: 1 })).toEqual({ $date: 1 })
  })

  test('integers in the form of other implementations -> their bytes, in base64', () => {
    // { id: 'b', n: 2^60 } with an integer of major type 0.
    const bytes = Buffer.from('a2616e1b10000000000000006269646162', 'hex')
    expect(decodeEntity(bytes)).toEqual({ id: 'b', n: 2n ** 60n })
    const line = entityToJsonText(bytes)
    expect(JSON.parse(line)).toEqual({ $cbor: bytes.toString('base64') })
    expect(Buffer.from(entityFromJsonText(line))).toEqual(bytes)
  })

  test.each([
    ['{"$oid":"x"}', '$$oid'],
    ['{"$date":"tomorrow"}', 'no date'],
    ['{"$date":"2026-02-30"}', 'no date'],
    ['{"$date":"2026-02-03T10:00:00"}', 'no date'],
    ['{"$date":"2026-02-03T25:00:00Z"}', 'no date'],
    ['{"$date":1}', 'no date'],
    ['{"$bytes":"Af8"}', 'base64'],
    ['{"$bytes":"Af9="}', 'base64'],
    ['{"$bytes":"_-8="}', 'base64'],
    ['{"$bigint":"1.5"}', 'no integer'],
    ['{"$bigint":"-0"}', 'no integer'],
    ['{"$bigint":1}', 'no integer'],
    ['{"$number":"1"}', 'none of'],
    ['[9007199254740993]', '$bigint'],
    ['{"a":-12345678901234567890}', '$bigint'],
    ['1e400', 'beyond'],
  ])('%s -> refused, and told why', (json, message) => {
    const reading = () => fromJson(parseJson(json))
    expect(reading).toThrow(JsonFormError)
    expect(reading).toThrow(message)
  })

  test.each([
    ['{"$date":"2024-02-29"}', new Date('2024-02-29T00:00:00Z')],
    ['{"$date":"2024-02-29T10:00:00.5+02:00"}', new Date('2024-02-29T08:00:00.500Z')],
    ['{"$date":"-271821-04-20T00:00:00.000Z"}', new Date(-8.64e15)],
    ['18014398509481984', 2 ** 54],
    ['123456789012345680000', 123456789012345680000],
    ['1.234567890123456789', 1.2345678901234567],
    [
      '"12345678901234567890 \\" 12345678901234567890"',
      '12345678901234567890 " 12345678901234567890',
    ],
    ['-0', -0],
  ])('%s -> its value', (json, value) => {
    expect(fromJson(parseJson(json))).toEqual(value)
  })

  test.each(['[]', '1', '"a"', 'null', '{"$date":"2024-02-29"}', '{"$bytes":""}', '{"$cbor":1}'])(
    'entity %s -> refused',
    (json) => {
      expect(() => entityFromJsonText(json)).toThrow(JsonFormError)
    },
  )

  test.each(['1', 'ab\\\\\\"1'])('a text of millions of %j -> passed over', (piece) => {
    const text = piece.repeat(2_000_000 + 14_000_000 / piece.length)
    const json = `{"id":"a","n":1234567890123456,"x":"${text}"}`
    expect(parseJson(json)).toEqual(JSON.parse(json))
    expect(() => parseJson(json.replace('56,', '567,'))).toThrow(JsonFormError)
  })

  test('nested far beyond any entity -> an error of the input, not of the stack', () => {
    const text = `{"id":"a","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(() => entityFromJsonText(text)).toThrow(JsonFormError)
  })
})
