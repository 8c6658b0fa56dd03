/** Compares a client's digest of everything with the server's. */
import { addDigests, emptyDigest, type VerifyResponse } from '@entidb/protocol'
import type { ServerReader } from './collections.ts'
import { isSameBytes } from './meta.ts'

export async function verifyDigest(
  reader: ServerReader,
  digest: Uint8Array,
): Promise<VerifyResponse> {
  const states = await reader.collection('collection_state').find({})
  const total = states.reduce((sum, state) => addDigests(sum, state.digest), emptyDigest())
  if (isSameBytes(total, digest)) return { match: true }
  const collections: Record<string, Uint8Array> = Object.create(null)
  for (const state of states) {
    if (state.liveEntities > 0) collections[state.id] = state.digest
  }
  return { match: false, collections }
}
