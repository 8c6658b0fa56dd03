/** Compares a client's digest of everything with the server's. */
import type { VerifyResponse } from '@entidb/protocol'
import type { MetaRow, ServerReader } from './collections.ts'
import type { KnownTotals } from './known-totals.ts'
import { isSameBytes } from './meta.ts'

export async function verifyDigest(
  reader: ServerReader,
  meta: MetaRow,
  totals: KnownTotals,
  digest: Uint8Array,
): Promise<VerifyResponse> {
  const total = await totals.read(reader, meta)
  if (isSameBytes(total.digest, digest)) return { match: true }
  const collections: Record<string, Uint8Array> = Object.create(null)
  for (const state of await reader.collection('collection_state').find({})) {
    if (state.liveEntities > 0) collections[state.id] = state.digest
  }
  return { match: false, collections }
}
