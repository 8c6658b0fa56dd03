/** Every held group as it is now, for those who show them to people. */
import type { SyncStore } from '../state/sync-store.ts'
import { type GroupView, viewGroup } from './group-view.ts'

/** Times they are looked at again because an edit was just being committed. */
const TRIES_MAX = 20

/**
 * Whole groups: an edit that was just committed belongs to one, and what was written with it. Groups that local
 * transactions tie together are one view.
 */
export async function viewHeldGroups(store: SyncStore): Promise<readonly GroupView[]> {
  for (let tries = 1; ; tries++) {
    await store.followFeed()
    const views = await store.read(async (tx) => {
      const rest = new Set(tx.allNotes().flatMap(({ group }) => group ?? []))
      const found: GroupView[] = []
      for (const group of rest) {
        const view = await viewGroup(tx, group, store.edits)
        for (const each of view.groups) rest.delete(each)
        found.push(view)
      }
      return found
    })
    if (tries === TRIES_MAX || views.every(({ isBehind }) => !isBehind)) return views
  }
}
