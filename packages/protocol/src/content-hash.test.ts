import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeContentForHash, encodeDigestInput } from './content-hash.ts'
import { addDigests, emptyDigest } from './digest.ts'
import { entityDigest } from './entity-digest.ts'
import type { OpType } from './messages.ts'
import { bytesOfHex, hexOf, readVectors } from './vectors.test-kit.ts'

interface JsonBytes {
  readonly $bytes: string
}

interface ContentVector {
  readonly name: string
  readonly operation: {
    readonly collection: string
    readonly entityId: string
    readonly opType: OpType
    readonly entityVersion: number
    readonly entityCbor: JsonBytes | null
  }
  readonly cbor: string
  readonly sha256: string
}

interface DigestVector {
  readonly entities: readonly {
    readonly collection: string
    readonly entityId: string
    readonly entityVersion: number
    readonly entityCbor: JsonBytes
    readonly cbor: string
    readonly sha256: string
  }[]
  readonly digest: string
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

describe('encodeContentForHash', () => {
  test.each(
    readVectors<ContentVector>('content-hash.json').map((vector) => [vector.name, vector] as const),
  )('vector: %s -> its bytes and its hash', (_, { operation, cbor, sha256: expected }) => {
    const { entityCbor } = operation
    const bytes = encodeContentForHash({
      ...operation,
      entityCbor: entityCbor === null ? null : bytesOfHex(entityCbor.$bytes),
    })
    expect(hexOf(bytes)).toBe(cbor)
    expect(hexOf(sha256(bytes))).toBe(expected)
  })
})

describe('encodeDigestInput', () => {
  const [vector] = readVectors<DigestVector>('digest.json')

  test('vector: three entities in any order -> their bytes, hashes and digest', () => {
    const hashes = (vector?.entities ?? []).map((entity) => {
      const { collection, entityId, entityVersion, entityCbor } = entity
      const cbor = bytesOfHex(entityCbor.$bytes)
      const bytes = encodeDigestInput(collection, entityId, entityVersion, cbor)
      const digest = entityDigest(collection, entityId, entityVersion, cbor)
      expect(hexOf(digest)).toBe(entity.sha256)
      expect(hexOf(bytes)).toBe(entity.cbor)
      expect(hexOf(sha256(bytes))).toBe(entity.sha256)
      return sha256(bytes)
    })
    expect(hashes).toHaveLength(3)
    expect(hexOf(hashes.reduce(addDigests, emptyDigest()))).toBe(vector?.digest)
    expect(hexOf(hashes.reverse().reduce(addDigests, emptyDigest()))).toBe(vector?.digest)
  })
})
