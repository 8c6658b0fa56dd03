import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyMapOf, anyScalar, cborFailureOf, fromHex } from './codec.test-kit.ts'
import { decodeEntity } from './entity-decoder.ts'
import { encodeEntity } from './entity-encoder.ts'
import { EntityScanner } from './entity-scanner.ts'
import { assertDeterministicEntity } from './entity-validator.ts'
import { badItems } from './hostile-cbor.test-kit.ts'

const WANTED = ['a', 'id', 'name']

/** The wanted fields of an entity, decoded from where they were found. */
function fieldsOf(scanner: EntityScanner, bytes: Uint8Array): Record<string, unknown> {
  scanner.scan(bytes)
  const fields: Record<string, unknown> = {}
  WANTED.forEach((name, slot) => {
    const start = scanner.starts[slot] ?? -1
    if (start >= 0) fields[name] = decodeEntity(bytes, start, scanner.ends[slot])
  })
  return fields
}

describe('EntityScanner', () => {
  test('any entities one after the other -> the wanted fields of each', () => {
    const keys = fc.constantFrom('a', 'b', 'id', 'name', 'other', 'é', 'x'.repeat(30))
    const entity = fc.dictionary(keys, fc.oneof(anyScalar, anyMapOf(anyScalar)))
    const scanner = new EntityScanner(WANTED)
    fc.assert(
      fc.property(fc.array(entity, { maxLength: 5 }), (entities) => {
        for (const one of entities) {
          const wanted = WANTED.filter((name) => Object.hasOwn(one, name))
          const expected = Object.fromEntries(wanted.map((name) => [name, one[name]]))
          const bytes = encodeEntity(one)
          expect(encodeEntity(fieldsOf(scanner, bytes))).toEqual(encodeEntity(expected))
        }
      }),
      { numRuns: 100 },
    )
  })

  test.each(badItems)('%s inside a map -> as assertDeterministicEntity', (_, hex) => {
    const bytes = fromHex(`a26161016162${hex}`)
    const scanner = new EntityScanner(WANTED)
    const expected = cborFailureOf(() => assertDeterministicEntity(bytes))
    // Also when the keys before it were seen.
    for (const before of ['a2616101616202', 'a161610a', 'a0']) {
      scanner.scan(fromHex(before))
      expect(cborFailureOf(() => scanner.scan(bytes))).toEqual(expected)
    }
  })

  test.each(badItems)('%s inside a list -> as assertDeterministicEntity', (_, hex) => {
    const bytes = fromHex(`a26161016162830160${hex}`)
    const expected = cborFailureOf(() => assertDeterministicEntity(bytes))
    expect(cborFailureOf(() => new EntityScanner(WANTED).scan(bytes))).toEqual(expected)
  })

  test.each([
    ['another order than was seen', 'a2616201616101'],
    ['a key of which a part was seen', 'a2616101626101'],
    ['a key twice', 'a2616101616101'],
    ['a key that another one preceded when it was seen', 'a2616301616201'],
    ['not a map', '80'],
    ['no bytes', ''],
    ['something behind it', 'a000'],
    ['more announced than there is', 'a3616101'],
  ])('%s -> as assertDeterministicEntity', (_, hex) => {
    const bytes = fromHex(hex)
    const outcome = (run: () => void) => {
      try {
        run()
        return 'sound'
      } catch {
        return cborFailureOf(run)
      }
    }
    const expected = outcome(() => assertDeterministicEntity(bytes))
    const scanner = new EntityScanner(WANTED)
    for (const seen of ['a2616101616201', 'a2616301616401', 'a3616101616201616301', 'a161610a']) {
      scanner.scan(fromHex(seen))
      expect(outcome(() => scanner.scan(bytes))).toEqual(expected)
    }
  })

  test('nesting -> up to 64 levels, the entity included', () => {
    const nested = (levels: number) => fromHex(`${'a16161'.repeat(levels)}00`)
    const scanner = new EntityScanner(WANTED)
    scanner.scan(nested(64))
    expect(cborFailureOf(() => scanner.scan(nested(65)))).toEqual(
      cborFailureOf(() => assertDeterministicEntity(nested(65))),
    )
  })
})
