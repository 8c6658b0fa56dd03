import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCborItem } from './cddl/cbor-item.test-kit.ts'
import { RULES, schemaOfProtocol } from './cddl/schema.test-kit.ts'
import { matchesRule } from './cddl/validator.test-kit.ts'
import { codecs, type MessageName, type Messages, messageNames } from './message-codecs.test-kit.ts'
import { arbitraryMessages } from './messages.test-kit.ts'

const schema = schemaOfProtocol()

describe('round trips', () => {
  test.each(messageNames)(
    '%s: encoded and decoded -> the same message, within the CDDL',
    (name) => {
      roundTrip(name)
    },
  )
})

function roundTrip<N extends MessageName>(name: N): void {
  const codec = codecs[name]
  // The message's type follows from its name, which the compiler cannot see through the table.
  const arbitrary = arbitraryMessages[name] as fc.Arbitrary<Messages[N]>
  fc.assert(
    fc.property(arbitrary, (message) => {
      const bytes = codec.encode(message)
      const decoded = codec.decode(bytes)
      expect(decoded).toEqual(message)
      expect(codec.encode(decoded)).toEqual(bytes)
      expect(matchesRule(schema, RULES[name], parseCborItem(bytes))).toBe(true)
    }),
    { numRuns: 300 },
  )
}
