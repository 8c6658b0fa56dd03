import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { decode as decodeWithCbor2 } from 'cbor2'
import { describe, expect, test } from 'vitest'
import { parseCborItem } from './cddl/cbor-item.test-kit.ts'
import { diagnosticOf } from './cddl/diagnostic.test-kit.ts'
import { RULES, schemaOfProtocol } from './cddl/schema.test-kit.ts'
import { matchesRule } from './cddl/validator.test-kit.ts'
import { codecOf, codecs, messageNames } from './message-codecs.test-kit.ts'
import { asJson, bytesOfHex, hexOf, invalidVectors, validVectors } from './vectors.test-kit.ts'

const schema = schemaOfProtocol()
function titled<T extends { message: string; name: string }>(
  vectors: readonly T[],
): readonly (readonly [string, T])[] {
  return vectors.map((vector) => [`${vector.message}: ${vector.name}`, vector])
}

describe('vectors', () => {
  test('vectors: all of them -> at least 40 valid and 60 invalid, of every message, no name twice', () => {
    expect(validVectors.length).toBeGreaterThanOrEqual(40)
    expect(invalidVectors.length).toBeGreaterThanOrEqual(60)
    for (const vectors of [titled(validVectors), titled(invalidVectors)]) {
      expect(new Set(vectors.map(([, { message }]) => message))).toEqual(new Set(messageNames))
      expect(new Set(vectors.map(([title]) => title)).size).toBe(vectors.length)
    }
  })

  test('make-vectors: run again -> changes nothing', () => {
    const script = fileURLToPath(new URL('../scripts/make-vectors.mjs', import.meta.url))
    execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })
  })
})

describe('valid vectors', () => {
  test.each(titled(validVectors))('%s -> decodes to its value', (_, vector) => {
    const decoded = codecs[vector.message].decode(bytesOfHex(vector.cbor))
    expect(asJson(decoded)).toEqual(vector.value)
  })

  test.each(titled(validVectors.filter(({ canonical }) => canonical)))(
    '%s -> is what the encoder writes',
    (_, vector) => {
      const codec = codecOf(vector.message)
      const message = codec.decode(bytesOfHex(vector.cbor))
      expect(hexOf(codec.encode(message))).toBe(vector.cbor)
    },
  )

  test.each(titled(validVectors.filter(({ canonical }) => !canonical)))(
    '%s -> the encoder writes it otherwise, with the same value',
    (_, vector) => {
      const codec = codecOf(vector.message)
      const message = codec.decode(bytesOfHex(vector.cbor))
      const rewritten = codec.encode(message)
      expect(hexOf(rewritten)).not.toBe(vector.cbor)
      expect(asJson(codec.decode(rewritten))).toEqual(vector.value)
    },
  )

  test.each(titled(validVectors))('%s -> prints as its diagnostic notation', (_, vector) => {
    expect(diagnosticOf(bytesOfHex(vector.cbor))).toBe(vector.diagnostic)
  })

  test.each(titled(validVectors))('%s -> satisfies the CDDL', (_, vector) => {
    const item = parseCborItem(bytesOfHex(vector.cbor))
    expect(matchesRule(schema, RULES[vector.message], item)).toBe(true)
  })

  // The operations of a packed page are not items that a codec of CBOR knows.
  const ofItems = validVectors.filter(({ message }) => message !== 'PackedPullResponse')
  test.each(titled(ofItems.filter(({ canonical }) => canonical)))(
    '%s -> another codec reads the same',
    (_, vector) => {
      expect(asJson(decodeWithCbor2(bytesOfHex(vector.cbor)))).toEqual(vector.value)
    },
  )
})

describe('invalid vectors', () => {
  test.each(titled(invalidVectors))('%s -> its error, path and reason', (_, vector) => {
    const { decode, error } = codecs[vector.message]
    const { path, reason } = vector
    expect(vector.error).toBe(error)
    expect(() => decode(bytesOfHex(vector.cbor))).toThrow(
      expect.objectContaining({
        code: error,
        details: expect.objectContaining({ path, reason }),
      }),
    )
  })

  test.each(titled(invalidVectors.filter(({ beyondCddl }) => !beyondCddl)))(
    '%s -> fails the CDDL',
    (_, vector) => {
      const item = parseCborItem(bytesOfHex(vector.cbor))
      expect(matchesRule(schema, RULES[vector.message], item)).toBe(false)
    },
  )

  test.each(titled(invalidVectors.filter(({ beyondCddl }) => beyondCddl)))(
    '%s -> nothing that the CDDL could refuse',
    (_, vector) => {
      expect(refusedByCddl(vector.message, bytesOfHex(vector.cbor))).toBe(false)
    },
  )
})

/** False also for bytes that are no item, which a CDDL never gets to see. */
function refusedByCddl(message: keyof typeof RULES, bytes: Uint8Array): boolean {
  let item: ReturnType<typeof parseCborItem>
  try {
    item = parseCborItem(bytes)
  } catch {
    return false
  }
  return !matchesRule(schema, RULES[message], item)
}
