import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CborReader } from './cbor-reader.ts'
import { CborWriter } from './cbor-writer.ts'
import { cborFailureOf, fromHex, toHex } from './codec.test-kit.ts'

function written(write: (writer: CborWriter) => void): string {
  const writer = new CborWriter()
  write(writer)
  return toHex(writer.take())
}

describe('CborWriter', () => {
  test.each([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [255, '18ff'],
    [256, '190100'],
    [65535, '19ffff'],
    [65536, '1a00010000'],
    [2 ** 32 - 1, '1affffffff'],
    [2 ** 32, '1b0000000100000000'],
    [2 ** 53 - 1, '1b001fffffffffffff'],
  ])('CborWriter: count %d -> the shortest head of every kind', (count, hex) => {
    const head = Number.parseInt(hex.slice(0, 2), 16)
    const withMajor = (major: number) => toHex(new Uint8Array([head | (major << 5)])) + hex.slice(2)
    expect(written((w) => w.writeUint(count))).toBe(hex)
    expect(written((w) => w.writeInt(count))).toBe(hex)
    if (count < 2 ** 53 - 1) expect(written((w) => w.writeInt(-1 - count))).toBe(withMajor(1))
    expect(written((w) => w.writeArrayHeader(count))).toBe(withMajor(4))
    expect(written((w) => w.writeMapHeader(count))).toBe(withMajor(5))
    expect(written((w) => w.writeTag(count))).toBe(withMajor(6))
  })

  test('CborWriter: items one after the other -> as RFC 8949 has them', () => {
    expect(
      written((w) => {
        w.writeBytes(fromHex('0102'))
        w.writeText('水')
        w.writeNull()
        w.writeBoolean(true)
        w.writeBoolean(false)
        w.writeRaw(fromHex('820102'))
        w.writeRawRange(fromHex('00010203'), 1, 3)
        w.writeFloat(1.5)
        w.writeFloat(100000.5)
        w.writeFloat(1.1)
        w.writeFloat64(1.5)
        w.writeInt(-0)
      }),
    ).toBe('42010263e6b0b4f6f5f48201020102f93e00fa47c35040fb3ff199999999999afb3ff800000000000000')
  })

  test('CborWriter: wrong arguments -> TypeError', () => {
    const writer = new CborWriter()
    for (const wrong of [-1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => writer.writeUint(wrong)).toThrow(TypeError)
      expect(() => writer.writeArrayHeader(wrong)).toThrow(TypeError)
      expect(() => writer.writeMapHeader(wrong)).toThrow(TypeError)
      expect(() => writer.writeTag(wrong)).toThrow(TypeError)
      if (wrong !== -1) expect(() => writer.writeInt(wrong)).toThrow(TypeError)
    }
    expect(writer.length).toBe(0)
  })

  test('CborWriter: a lone surrogate -> invalid_cbor and nothing written', () => {
    for (const text of ['\ud800', `abc\udc00`, `${'x'.repeat(100)}\ud800x`]) {
      const writer = new CborWriter()
      writer.writeUint(1)
      expect(cborFailureOf(() => writer.writeText(text))).toEqual({
        offset: 1,
        reason: 'lone_surrogate',
      })
      expect(writer.tryWriteText(text)).toBe(false)
      expect(toHex(writer.take())).toBe('01')
    }
  })

  test('CborWriter: length, take and reset -> only what was written since', () => {
    const writer = new CborWriter()
    writer.writeUint(1)
    expect(writer.length).toBe(1)
    writer.reset()
    expect(writer.length).toBe(0)
    writer.writeUint(2)
    expect(toHex(writer.take())).toBe('02')
    expect(writer.length).toBe(0)
    expect(toHex(writer.take())).toBe('')
  })

  test('CborWriter: results of all sizes -> exact, and never changed by later writes', () => {
    const writer = new CborWriter()
    const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(5000), fc.nat(70_000)), { maxLength: 40 })
    fc.assert(
      fc.property(sizes, (lengths) => {
        const results = lengths.map((length, i) => {
          const item = new Uint8Array(length).fill(i)
          writer.writeUint(i)
          writer.writeBytes(item)
          writer.writeText('é'.repeat(length % 500))
          return { item, text: 'é'.repeat(length % 500), bytes: writer.take() }
        })
        results.forEach(({ item, text, bytes }, i) => {
          const reader = new CborReader(bytes)
          expect(reader.readUint()).toBe(i)
          expect(Buffer.compare(reader.readBytes(), item)).toBe(0)
          expect(reader.readText()).toBe(text)
          expect(reader.atEnd).toBe(true)
        })
      }),
      { numRuns: 50 },
    )
  })

  test('CborWriter: the memory behind its results transferred away -> later results are right', () => {
    const writer = new CborWriter()
    writer.writeUint(1)
    const { buffer } = writer.take()
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    writer.writeText('abc')
    expect(toHex(writer.take())).toBe('63616263')
  })
})
