/** Values as entities hold them, for property tests. Small ranges, so that equal ones meet. */
import fc from 'fast-check'

const numbers = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 2, 0.5, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, 2 ** 53),
  fc.integer({ min: -5, max: 5 }),
  fc.double(),
)

const bigints = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 1100n),
  fc.constantFrom(-(2n ** 1100n), -(2n ** 1100n) - 1n, 2n ** 1024n, 2n ** 1023n + 1n),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
)

export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'b', 'a\0', 'a\0b', '\0', '\uffff', '\u{10000}', 'é', '\u{1f30d}'),
  fc.string({ unit: 'binary', maxLength: 4 }).filter((text) => !/\p{Surrogate}/u.test(text)),
)

export const scalars: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  numbers,
  bigints,
  texts,
  fc.integer({ min: -3, max: 3 }).map((time) => new Date(time * 500)),
  fc.uint8Array({ maxLength: 3 }),
)

export const values: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'value' },
    scalars,
    fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'value' }),
    fc.dictionary(texts, tie('value'), { maxKeys: 2, depthIdentifier: 'value' }),
  ),
})).value
