import { encodeEntity } from '@entidb/core/cbor'
import { expect, test } from 'vitest'
import { describeBytes } from './describe-entity.ts'

test('description: values that JSON has no words for -> told all the same, and apart', () => {
  const entity = {
    id: 'x',
    a: 1n,
    b: 1,
    c: new Uint8Array([1, 255]),
    d: Number.NaN,
    e: -0,
    f: null,
  }
  const described = describeBytes(encodeEntity(entity))
  expect(described).toBe('{a:1n,b:1,c:bytes 01ff,d:NaN,e:-0,f:null}')
})
