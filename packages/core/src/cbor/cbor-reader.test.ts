import { describe, expect, test } from 'vitest'
import { CborReader } from './cbor-reader.ts'
import { cborFailureOf, fromHex, toHex } from './codec.test-kit.ts'

const readerOf = (hex: string): CborReader => new CborReader(fromHex(hex))

const reads = {
  uint: (r: CborReader) => r.readUint(),
  int: (r: CborReader) => r.readInt(),
  bytes: (r: CborReader) => r.readBytes(),
  text: (r: CborReader) => r.readText(),
  array: (r: CborReader) => r.readArrayHeader(),
  map: (r: CborReader) => r.readMapHeader(),
  null: (r: CborReader) => r.readNull(),
  boolean: (r: CborReader) => r.readBoolean(),
  skip: (r: CborReader) => r.skip(8),
} as const

type Read = keyof typeof reads

describe('CborReader', () => {
  test('CborReader: items one after the other -> their values and positions', () => {
    const reader = readerOf(
      'a2 1864 3863 420102 63e6b0b4 820102 f6 f5 f4 1b001fffffffffffff 3b001ffffffffffffe',
    )
    expect(reader.peekMajor()).toBe(5)
    expect(reader.readMapHeader()).toBe(2)
    expect(reader.readUint()).toBe(100)
    expect(reader.readInt()).toBe(-100)
    expect(Array.from(reader.readBytes())).toEqual([1, 2])
    expect(reader.readText()).toBe('水')
    expect(reader.position).toBe(12)
    expect(reader.readArrayHeader()).toBe(2)
    expect([reader.readInt(), reader.readInt()]).toEqual([1, 2])
    expect(reader.isNull()).toBe(true)
    reader.readNull()
    expect(reader.isNull()).toBe(false)
    expect([reader.readBoolean(), reader.readBoolean()]).toEqual([true, false])
    expect(reader.atEnd).toBe(false)
    expect(reader.readInt()).toBe(2 ** 53 - 1)
    expect(reader.readInt()).toBe(-(2 ** 53 - 1))
    expect(reader.atEnd).toBe(true)
  })

  test('passIf: the item is there -> passed over; another one, or cut off -> stays', () => {
    const reader = readerOf('6161 02')
    expect(reader.passIf(fromHex('6162'))).toBe(false)
    expect(reader.passIf(fromHex('616102 03'))).toBe(false)
    expect(reader.passIf(fromHex('6161'))).toBe(true)
    expect(reader.readUint()).toBe(2)
    expect(reader.passIf(fromHex('00'))).toBe(false)
    reader.rewind(0)
    expect(reader.readText()).toBe('a')
  })

  test('CborReader: a range -> reads that and no further', () => {
    const reader = new CborReader(fromHex('ff 6161 63'), 1, 3)
    expect(reader.position).toBe(1)
    expect(reader.readText()).toBe('a')
    expect(reader.atEnd).toBe(true)
    expect(cborFailureOf(() => reader.peekMajor())).toEqual({ offset: 3, reason: 'truncated' })
    expect(cborFailureOf(() => new CborReader(fromHex('6161'), 0, 1).readText())).toEqual({
      offset: 0,
      reason: 'length_exceeds_input',
    })
    expect(() => new CborReader(new Uint8Array(1), 0, 2)).toThrow(TypeError)
    expect(() => new CborReader(new Uint8Array(1), -1)).toThrow(TypeError)
  })

  test('CborReader: text without a head -> as many bytes as asked for, else the error of a text item', () => {
    const reader = new CborReader(fromHex('61c3a9c3a9'))
    expect(reader.readBareText(3)).toBe('aé')
    expect(reader.readBareText(0)).toBe('')
    expect(cborFailureOf(() => reader.readBareText(3))).toEqual({
      offset: 3,
      reason: 'length_exceeds_input',
    })
    expect(cborFailureOf(() => reader.readBareText(1))).toEqual({
      offset: 3,
      reason: 'invalid_utf8',
    })
  })

  test('CborReader: bytes and raw items -> views of the input, plain even of a Buffer', () => {
    const input = Buffer.from('42010282820304f5', 'hex')
    const reader = new CborReader(input)
    const bytes = reader.readBytes()
    const raw = reader.readRaw(2)
    expect(bytes.constructor).toBe(Uint8Array)
    expect(toHex(raw)).toBe('82820304f5')
    input.fill(7)
    expect(Array.from(bytes)).toEqual([7, 7])
  })

  test.each<[Read, string, number, string]>([
    ['uint', '', 0, 'truncated'],
    ['uint', '18', 0, 'truncated'],
    ['uint', '1817', 0, 'not_shortest'],
    ['uint', '1900ff', 0, 'not_shortest'],
    ['uint', '1b00000000ffffffff', 0, 'not_shortest'],
    ['uint', '1b0020000000000000', 0, 'integer_out_of_range'],
    ['uint', '1bffffffffffffffff', 0, 'integer_out_of_range'],
    ['uint', '20', 0, 'unexpected_type'],
    ['uint', 'f93c00', 0, 'unexpected_type'],
    ['uint', 'c100', 0, 'unexpected_type'],
    ['uint', '1c', 0, 'reserved_encoding'],
    ['uint', '1f', 0, 'reserved_encoding'],
    ['int', '3b001fffffffffffff', 0, 'integer_out_of_range'],
    ['int', '3bffffffffffffffff', 0, 'integer_out_of_range'],
    ['int', '3817', 0, 'not_shortest'],
    ['int', '40', 0, 'unexpected_type'],
    ['bytes', '5f4101ff', 0, 'indefinite_length'],
    ['bytes', '5bffffffffffffffff', 0, 'integer_out_of_range'],
    ['bytes', '5a7fffffff', 0, 'length_exceeds_input'],
    ['bytes', '6161', 0, 'unexpected_type'],
    ['text', '7f6161ff', 0, 'indefinite_length'],
    ['text', '62c328', 0, 'invalid_utf8'],
    ['text', '63eda080', 0, 'invalid_utf8'],
    ['text', '7818'.concat('61'.repeat(23)), 0, 'length_exceeds_input'],
    ['text', '780161', 0, 'not_shortest'],
    ['array', '9affffffff', 0, 'length_exceeds_input'],
    ['array', '830000', 0, 'length_exceeds_input'],
    ['array', '9fff', 0, 'indefinite_length'],
    ['map', 'a2000000', 0, 'length_exceeds_input'],
    ['map', 'bfff', 0, 'indefinite_length'],
    ['null', 'f5', 0, 'unexpected_type'],
    ['boolean', 'f6', 0, 'unexpected_type'],
    ['skip', '', 0, 'truncated'],
    ['skip', '9f01ff', 0, 'indefinite_length'],
    ['skip', 'ff', 0, 'indefinite_length'],
    ['skip', 'bfff', 0, 'indefinite_length'],
    ['skip', '81ff', 1, 'indefinite_length'],
    ['skip', 'fc', 0, 'reserved_encoding'],
    ['skip', 'dc', 0, 'reserved_encoding'],
    ['skip', 'df', 0, 'reserved_encoding'],
    ['skip', '1f', 0, 'reserved_encoding'],
    ['skip', 'f81f', 0, 'reserved_encoding'],
    ['skip', '9bffffffffffffffff', 0, 'length_exceeds_input'],
    ['skip', 'bb7fffffffffffffff', 0, 'length_exceeds_input'],
    ['skip', '6361', 0, 'length_exceeds_input'],
    ['skip', 'fb00', 0, 'truncated'],
    ['skip', '8200', 0, 'length_exceeds_input'],
    ['skip', '828100', 3, 'truncated'],
    ['skip', '81'.repeat(9).concat('00'), 8, 'too_deep'],
    ['skip', 'c1'.repeat(9).concat('00'), 8, 'too_deep'],
  ])('CborReader: %s of %s -> invalid_cbor', (read, hex, offset, reason) => {
    expect(cborFailureOf(() => reads[read](readerOf(hex)))).toEqual({ offset, reason })
  })

  test.each([
    '00',
    '1800',
    '1b0000000000000000',
    '40',
    '43010203',
    '6161',
    '61ff',
    '80',
    '8301820203f6',
    'a0',
    'a2616101626161f5',
    'a20101f500',
    'c100',
    'd9d9f7c1fb3ff8000000000000',
    'f7',
    'e0',
    'f820',
    'f90000',
    'fa00000000',
    'fb7ff8000000000001',
    '81'.repeat(8).concat('00'),
    '9800',
    'b90000',
  ])('CborReader: skip of %s, well-formed -> its end', (hex) => {
    const reader = readerOf(`${hex}00`)
    expect(toHex(reader.readRaw(8))).toBe(hex)
    expect(reader.readUint()).toBe(0)
    expect(reader.atEnd).toBe(true)
  })

  test('CborReader: skip with depth 0 -> anything but arrays, maps and tags', () => {
    readerOf('6161').skip(0)
    for (const hex of ['80', 'a0', 'c100']) {
      expect(cborFailureOf(() => readerOf(hex).skip(0))).toEqual({ offset: 0, reason: 'too_deep' })
    }
  })

  test.each(['81', 'a100', 'c1', 'd9d9f7'])(
    'CborReader: %s a million deep -> no stack is used',
    (open) => {
      const hex = `${open.repeat(1_000_000)}00`
      const reader = readerOf(hex)
      reader.skip(1_000_000)
      expect(reader.atEnd).toBe(true)
      expect(cborFailureOf(() => readerOf(hex).skip(64))).toEqual({
        offset: (open.length / 2) * 64,
        reason: 'too_deep',
      })
    },
  )
})
