/**
 * The first offer: entities written while the change feed was off are pending, but no feed operation
 * speaks of them. Each is recorded once as a local edit, in bounded transactions.
 */
import { entityKey } from '../entity-ref.ts'
import { withLooseRange } from '../state/loose-ranges.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { LocalEdits } from './local-edits.ts'

const OFFER_ENTRIES = 500

export async function offerAll(store: SyncStore): Promise<void> {
  while (store.state.offer !== null) {
    await store.followFeed()
    await store.transaction((tx) => offerStep(tx, store.edits))
  }
}

async function offerStep(tx: SyncTransaction, edits: LocalEdits): Promise<void> {
  const { offer } = tx.state
  if (offer === null) return
  const entries = await tx.replica.scan({
    ...(offer.after === null ? {} : { after: offer.after }),
    entriesMax: OFFER_ENTRIES,
  })
  const opIds: number[] = []
  for (const { collection, entityId, pending } of entries) {
    const key = entityKey({ collection, entityId })
    if (!pending || edits.has(key) || tx.findNote(key)?.group != null) continue
    const state = await tx.replica.state(collection, entityId)
    if (state.opId > offer.through) continue
    opIds.push((await tx.replica.touch(collection, entityId)).opId)
  }
  const [first] = opIds
  const last = opIds.at(-1)
  if (first !== undefined && last !== undefined) {
    tx.setState({ looseRanges: withLooseRange(tx.state.looseRanges, first, last) })
  }
  const after = entries.at(-1)
  tx.setState({
    offer:
      after === undefined
        ? null
        : { ...offer, after: { collection: after.collection, entityId: after.entityId } },
  })
}
