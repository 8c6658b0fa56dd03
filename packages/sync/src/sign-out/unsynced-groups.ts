/** Which unsynced entities stand or fall together: by a local transaction, in a batch, or in a held group. */
import { entityKey } from '../entity-ref.ts'
import type { SyncStore } from '../state/sync-store.ts'

/** Groups of keys, each with all of its members; most have one. In the order of `keys`. */
export function unsyncedGroups(
  store: SyncStore,
  keys: readonly string[],
): readonly (readonly string[])[] {
  const labels = labelsOf(store)
  const byLabel = new Map<string, string[]>()
  for (const [key, label] of labels) {
    const sharing = byLabel.get(label) ?? []
    sharing.push(key)
    byLabel.set(label, sharing)
  }
  const wanted = new Set(keys)
  const reached = new Set<string>()
  const groups: (readonly string[])[] = []
  for (const first of keys) {
    if (reached.has(first)) continue
    const members = new Set([first])
    const tied = new Set<string>()
    // Grows while it is iterated.
    for (const key of members) {
      const label = labels.get(key)
      for (const other of byLabel.get(label ?? '') ?? []) members.add(other)
      byLabel.delete(label ?? '')
      if (tied.has(key)) continue
      for (const other of store.edits.componentOf([key]).entities) {
        tied.add(other)
        members.add(other)
      }
    }
    for (const key of members) reached.add(key)
    groups.push([...members].filter((key) => wanted.has(key)))
  }
  return groups
}

/** What holds an entity, else its group in the frozen batch. */
function labelsOf(store: SyncStore): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  for (const op of store.frozen?.ops ?? []) labels.set(entityKey(op), `sent ${op.group}`)
  for (const { id, group } of store.notes.values())
    if (group !== null) labels.set(id, `held ${group}`)
  return labels
}
