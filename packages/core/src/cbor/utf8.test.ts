import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyText } from './codec.test-kit.ts'
import {
  hasLoneSurrogate,
  hostLatin1Decoder,
  isUtf8,
  readUtf8,
  readUtf8By,
  utf8BytesMax,
  writeUtf8,
} from './utf8.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function strictText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes that are UTF-8, nearly UTF-8, or not at all. */
const nearUtf8 = fc
  .tuple(anyText, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat(300))
  .map(([text, edits, repeat]) => {
    const bytes = new Uint8Array(Buffer.from(text + 'é'.repeat(repeat % 200)))
    for (const [place, byte] of edits) if (bytes.length > 0) bytes[place % bytes.length] = byte
    return bytes
  })

describe('utf8', () => {
  test('readUtf8: any bytes, with and without a host decoder -> what the strict TextDecoder says', () => {
    fc.assert(
      fc.property(fc.oneof(nearUtf8, fc.uint8Array({ maxLength: 6 })), (bytes) => {
        const expected = strictText(bytes)
        expect(readUtf8(bytes, 0, bytes.length)).toBe(expected)
        expect(readUtf8By(undefined, bytes, 0, bytes.length)).toBe(expected)
        expect(readUtf8By(hostLatin1Decoder(), bytes, 0, bytes.length)).toBe(expected)
        expect(isUtf8(bytes, 0, bytes.length)).toBe(expected !== undefined)
      }),
      { numRuns: 5000 },
    )
  })

  test('isUtf8: every sequence of two bytes, and of three after each lead -> as TextDecoder', () => {
    for (let a = 0x7f; a < 256; a++) {
      for (let b = 0x7f; b <= 0xc0; b++) {
        const two = new Uint8Array([a, b])
        expect(isUtf8(two, 0, 2)).toBe(strictText(two) !== undefined)
        const three = new Uint8Array([a, b, 0x80])
        expect(isUtf8(three, 0, 3)).toBe(strictText(three) !== undefined)
        const four = new Uint8Array([a, b, 0xbf, 0x80])
        expect(isUtf8(four, 0, 4)).toBe(strictText(four) !== undefined)
      }
    }
  })

  test('readUtf8: a byte order mark -> kept as text', () => {
    const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61])
    expect(readUtf8(bytes, 0, 4)).toBe('\ufeffa')
  })

  test('hostLatin1Decoder: Node -> has one', () => {
    expect(hostLatin1Decoder()).toBeTypeOf('function')
  })

  test('hasLoneSurrogate: pairs -> false, anything less -> true', () => {
    for (const text of ['', 'a', '😀', 'a😀b', '\ud83d\ude00'])
      expect(hasLoneSurrogate(text)).toBe(false)
    for (const text of ['\ud83d', '\ude00', '\ude00\ud83d', '😀\ud83d', 'a\ude00b']) {
      expect(hasLoneSurrogate(text)).toBe(true)
    }
  })

  test('utf8BytesMax: any well-formed text -> never too little', () => {
    for (const unit of ['a', 'é', '水', '😀', 'a😀é水']) {
      for (const count of [0, 1, 10, 4000, 5000]) {
        const text = unit.repeat(count)
        const target = new Uint8Array(utf8BytesMax(text))
        expect(writeUtf8(target, 0, text)).toBe(Buffer.byteLength(text))
      }
    }
  })
})
