/** Live entities and digest of each collection, kept in step with the writes of one push. */
import { addDigests, emptyDigest, subtractDigests } from '@entidb/protocol'
import type {
  CollectionStateRow,
  EntityRow,
  ServerReader,
  ServerTransaction,
} from './collections.ts'
import { digestOf } from './digest-sum.ts'

export class CollectionTotals {
  readonly #totals = new Map<string, { liveEntities: number; digest: Uint8Array }>()

  replace(before: EntityRow | undefined, after: EntityRow): void {
    const totals = this.#totalsOf(after.collection)
    if (before !== undefined && before.entityCbor !== null) {
      totals.liveEntities--
      totals.digest = subtractDigests(totals.digest, digestOfRow(before, before.entityCbor))
    }
    if (after.entityCbor !== null) {
      totals.liveEntities++
      totals.digest = addDigests(totals.digest, digestOfRow(after, after.entityCbor))
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
      await states.put(row)
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

/** Of all collections. */
export async function countLive(reader: ServerReader): Promise<number> {
  const states = await reader.collection('collection_state').find({})
  return states.reduce((sum, { liveEntities }) => sum + liveEntities, 0)
}

function digestOfRow(row: EntityRow, entityCbor: Uint8Array): Uint8Array {
  return digestOf(row.collection, row.entityId, row.entityVersion, entityCbor)
}
