/** Live entities and digest of each collection, kept in step with the writes of one push. */
import { addDigests, emptyDigest, subtractDigests } from '@entidb/protocol'
import type { CollectionStateRow, EntityRow, ServerTransaction } from './collections.ts'
import { digestOf } from './digest-sum.ts'
import { isSameBytes } from './meta.ts'

export class CollectionTotals {
  readonly #totals = new Map<string, { liveEntities: number; digest: Uint8Array }>()

  /** `before`: what was in the digest so far; undefined for nothing. */
  replace(before: Uint8Array | undefined, after: EntityRow): void {
    const totals = this.#totalsOf(after.collection)
    if (before !== undefined) {
      totals.liveEntities--
      totals.digest = subtractDigests(totals.digest, before)
    }
    const digest = digestOfRow(after)
    if (digest !== undefined) {
      totals.liveEntities++
      totals.digest = addDigests(totals.digest, digest)
    }
  }

  /** Adds the changes to what is stored. */
  async write(tx: ServerTransaction): Promise<void> {
    const states = tx.collection('collection_state')
    for (const [collection, change] of this.#totals) {
      const stored = await states.get(collection)
      const row: CollectionStateRow = {
        id: collection,
        liveEntities: (stored?.liveEntities ?? 0) + change.liveEntities,
        digest: addDigests(stored?.digest ?? emptyDigest(), change.digest),
      }
      // Names come and go; with a digest that is not empty it stays, for all to see.
      const isEmpty = row.liveEntities === 0 && isSameBytes(row.digest, emptyDigest())
      if (isEmpty) await states.delete(collection)
      else await states.put(row)
    }
  }

  #totalsOf(collection: string): { liveEntities: number; digest: Uint8Array } {
    let totals = this.#totals.get(collection)
    if (totals === undefined) {
      totals = { liveEntities: 0, digest: emptyDigest() }
      this.#totals.set(collection, totals)
    }
    return totals
  }
}

/** What an entity adds to the digest of its collection; undefined for a tombstone. */
export function digestOfRow(row: EntityRow): Uint8Array | undefined {
  const { collection, entityId, entityVersion, entityCbor } = row
  return entityCbor === null ? undefined : digestOf(collection, entityId, entityVersion, entityCbor)
}
