/** What the tests of the codec share: hex, errors as values, arbitrary entities. */
import fc from 'fast-check'
import { EntiDBError } from '../errors/entidb-error.ts'

/** Spaces are for the reader. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export interface Failure {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
  readonly message: string
}

/** The EntiDBError that `action` throws; anything else fails the test. */
export function failureOf(action: () => unknown): Failure {
  try {
    action()
  } catch (error) {
    if (error instanceof EntiDBError) return error
    throw error
  }
  throw new Error('Expected a refusal')
}

/** `action`'s refusal of bytes: offset and reason. */
export function cborFailureOf(action: () => unknown): unknown {
  const failure = failureOf(action)
  return failure.code === 'invalid_cbor' ? failure.details : failure
}

/** `action`'s refusal of a value: path and reason. */
export function entityFailureOf(action: () => unknown): unknown {
  const failure = failureOf(action)
  return failure.code === 'invalid_entity' ? failure.details : failure
}

/** Any text that is well-formed. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
)

const anyKey = fc.oneof(
  { weight: 8, arbitrary: anyText },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '10') },
)

export const anyNumber: fc.Arbitrary<number> = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.integer({ min: -300, max: 300 }),
  fc.double(),
  fc.float(),
  fc.constantFrom(
    -0,
    Number.NaN,
    Infinity,
    -Infinity,
    2 ** 53,
    -(2 ** 53),
    65504,
    5e-324,
    2 ** -24,
  ),
)

/** Scalars that every CBOR library writes alike. */
export const commonScalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false),
  anyNumber,
  anyText,
  fc.uint8Array({ maxLength: 40 }),
)

export const anyScalar: fc.Arbitrary<unknown> = fc.oneof(
  commonScalar,
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.date({ noInvalidDate: true }),
)

/** Values with `scalar` at the leaves. */
export function anyValueOf(scalar: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('value'), { maxLength: 6 }),
      fc.dictionary(anyKey, tie('value'), { maxKeys: 8 }),
    ),
  })).value
}

export function anyMapOf(scalar: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc.dictionary(anyKey, anyValueOf(scalar), { maxKeys: 8 })
}
