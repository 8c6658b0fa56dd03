import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRecord, encodeRecord, revisionOf, stampOf } from './record.ts'

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
      (revision, schemaVersion, stamp, pending) => {
        const opId = pending ? stamp + 7 : 0
        const header = { pending, revision, schemaVersion, stamp, opId }
        const record = encodeRecord(header, Uint8Array.of(0xff, 0xff))
        expect(decodeRecord(record)).toMatchObject(header)
        expect(revisionOf(record)).toBe(revision)
        expect(stampOf(record)).toBe(stamp)
      },
    ),
  )
})
