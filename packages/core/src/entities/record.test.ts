import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRecord, encodeRecord, seenRevisionOf, stampOf } from './record.ts'

const numbers = fc.oneof(
  fc.nat({ max: 300 }),
  fc.maxSafeNat().map((n) => Math.floor(n / 2)),
)

test('record: any header -> what is read alone is what is read with the rest', () => {
  fc.assert(
    fc.property(
      numbers,
      numbers,
      numbers,
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      (revision, schemaVersion, stamp, pending, isUnseen, isOffered) => {
        const opId = pending ? stamp + 7 : 0
        const unseen = pending && isUnseen
        const offered = pending && isOffered
        const header = { pending, revision, schemaVersion, stamp, opId, unseen, offered }
        const record = encodeRecord(header, Uint8Array.of(0xff, 0xff))
        expect(decodeRecord(record)).toMatchObject(header)
        expect(seenRevisionOf(record)).toBe(unseen ? 0 : revision)
        expect(stampOf(record)).toBe(stamp)
      },
    ),
  )
})
