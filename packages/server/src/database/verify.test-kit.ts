/** Digests of a closed database: as it keeps them, and worked out anew from its entities. */
import { EntiDB, type Storage } from '@entidb/core'
import { addDigests, emptyDigest } from '@entidb/protocol'
import { serverCollections } from './collections.ts'
import { digestOf } from './digest-sum.ts'

/** Live entities and digest, in hex, by collection; empty collections are left out. */
export type DigestTable = Readonly<Record<string, readonly [liveEntities: number, digest: string]>>

export async function storedDigest(storage: Storage): Promise<DigestTable> {
  const files = await openFiles(storage)
  const rows = await files.collection('collection_state').find()
  await files.close()
  const kept = rows.filter(({ liveEntities, digest }) => liveEntities > 0 || !isEmpty(digest))
  return Object.fromEntries(kept.map(({ id, ...row }) => [id, [row.liveEntities, hex(row.digest)]]))
}

export async function recomputedDigest(storage: Storage): Promise<DigestTable> {
  const files = await openFiles(storage)
  const totals = new Map<string, { liveEntities: number; digest: Uint8Array }>()
  for await (const { collection, entityId, entityVersion, entityCbor } of files
    .collection('entities')
    .scan()) {
    if (entityCbor === null) continue
    const { liveEntities, digest } = totals.get(collection) ?? {
      liveEntities: 0,
      digest: emptyDigest(),
    }
    const added = digestOf(collection, entityId, entityVersion, entityCbor)
    totals.set(collection, {
      liveEntities: liveEntities + 1,
      digest: addDigests(digest, added),
    })
  }
  await files.close()
  return Object.fromEntries(
    [...totals].map(([id, row]) => [id, [row.liveEntities, hex(row.digest)]]),
  )
}

function openFiles(storage: Storage) {
  return EntiDB.open({ storage, collections: serverCollections, limits: { maxIdBytes: 1024 } })
}

function isEmpty(digest: Uint8Array): boolean {
  return digest.every((byte) => byte === 0)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
