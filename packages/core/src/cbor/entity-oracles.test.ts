/** Two independent libraries as judges, wherever they mean the same as `docs/encoding.md`. */
import * as cbor2 from 'cbor2'
import * as cborg from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyMapOf, anyValueOf, commonScalar, fromHex, toHex } from './codec.test-kit.ts'
import { decodeEntity } from './entity-decoder.ts'
import { encodeEntity } from './entity-encoder.ts'

/**
 * cbor2 can be told to keep bigints as bignums, but gives the magnitude 0 a byte where RFC 8949 section
 * 3.4.3 has none. It writes fractions of a second as shortest floats.
 */
const cbor2EncodeOptions = { ...cbor2.cdeEncodeOptions, collapseBigInts: false }
const wholeSecond = fc
  .integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 })
  .map((seconds) => new Date(seconds * 1000))
const nonZeroMagnitude = fc.bigInt().filter((value) => value !== 0n && value !== -1n)
const forCbor2 = anyValueOf(fc.oneof(commonScalar, nonZeroMagnitude, wholeSecond))

/** cborg writes -0 as 0 and has no dates or bignums of its own. */
const forCborg = anyMapOf(commonScalar.filter((value) => !Object.is(value, -0)))

/** Bignums in the range of integers are ours alone: cbor2 refuses them as not preferred. */
const decodableByBoth = anyValueOf(
  fc.oneof(commonScalar, fc.bigInt({ min: 2n ** 64n, max: 2n ** 300n }), wholeSecond),
)

/** -2^53 as an integer. */
const LEAST_UNSAFE = '3b001fffffffffffff'

describe('oracles', () => {
  test('encodeEntity: any value -> the bytes of cbor2 in its deterministic mode', () => {
    fc.assert(
      fc.property(forCbor2, (value) => {
        expect(toHex(encodeEntity(value))).toBe(toHex(cbor2.encode(value, cbor2EncodeOptions)))
      }),
      { numRuns: 2000 },
    )
  })

  test('encodeEntity: any map -> the bytes of cborg in its RFC 8949 mode', () => {
    fc.assert(
      fc.property(forCborg, (value) => {
        expect(toHex(encodeEntity(value))).toBe(
          toHex(cborg.encode(value, cborg.rfc8949EncodeOptions)),
        )
      }),
      { numRuns: 2000 },
    )
  })

  test('decodeEntity: what cbor2 encodes -> the value', () => {
    fc.assert(
      fc.property(decodableByBoth, (value) => {
        expect(decodeEntity(cbor2.encode(value, cbor2EncodeOptions))).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  test('encodeEntity: any value -> decoded by cbor2 and cborg to the same', () => {
    fc.assert(
      fc.property(decodableByBoth, (value) => {
        expect(cbor2.decode(encodeEntity(value), cbor2.cdeDecodeOptions)).toEqual(value)
      }),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(forCborg, (value) => {
        const bytes = encodeEntity(value)
        // cborg drops a byte order mark at the start of a text.
        fc.pre(!toHex(bytes).includes('efbbbf'))
        expect(cborg.decode(bytes, { strict: true })).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  test('decodeEntity: damaged bytes that it accepts -> cbor2 accepts them for the same value', () => {
    expect(decodeEntity(fromHex(LEAST_UNSAFE))).toBe(-(2n ** 53n))
    let accepted = 0
    const damaged = fc.tuple(anyValueOf(commonScalar), fc.nat(), fc.nat(255))
    fc.assert(
      fc.property(damaged, ([value, place, byte]) => {
        const bytes = encodeEntity(value)
        bytes[place % bytes.length] = byte
        const decoded = decodedOf(bytes)
        // Bignums and fractions of a second are where the two differ on purpose.
        if (decoded === undefined || /c[123]/.test(toHex(bytes))) return
        // So is -2^53, the one integer beyond the safe ones that cbor2 makes a number of all the same.
        if (toHex(bytes).includes(LEAST_UNSAFE)) return
        accepted++
        expect(cbor2.decode(bytes, cbor2.cdeDecodeOptions)).toEqual(decoded.value)
      }),
      { numRuns: 10_000 },
    )
    expect(accepted).toBeGreaterThan(1000)
  })
})

function decodedOf(bytes: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: decodeEntity(bytes) }
  } catch {
    return undefined
  }
}
