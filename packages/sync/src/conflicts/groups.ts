/** Groups of held entities: what is decided together. */
import { type EntityRef, entityKey } from '../entity-ref.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

/** Makes `refs` members of one group, together with every group that one of them is in already. */
export async function joinGroup(
  tx: SyncTransaction,
  refs: Iterable<EntityRef>,
  wanted: number | null = null,
): Promise<number> {
  const members = [...refs]
  const groups = new Set<number>(wanted === null ? [] : [wanted])
  for (const ref of members) {
    const { group } = tx.note(ref)
    if (group !== null) groups.add(group)
  }
  const into = wanted ?? largestOf(tx, groups) ?? tx.newGroup()
  groups.delete(into)
  for (const group of groups) await mergeGroup(tx, group, into)
  for (const ref of members) {
    if (tx.findNote(entityKey(ref))?.group !== into) tx.changeNote(ref, { group: into })
  }
  return into
}

/** The others move into it: whatever moves is in a group of twice as many afterwards, so that nothing moves often. */
function largestOf(tx: SyncTransaction, groups: ReadonlySet<number>): number | undefined {
  if (groups.size < 2) return [...groups][0]
  const sizes = [...groups].map((group) => ({ group, size: tx.groupSizeMax(group) }))
  return sizes.reduce((a, b) => (b.size > a.size ? b : a)).group
}

async function mergeGroup(tx: SyncTransaction, from: number, into: number): Promise<void> {
  for (const note of tx.notesOfGroup(from)) tx.changeNote(note, { group: into })
  for (const fate of await tx.fatesOfGroup(from)) {
    await tx.putFate(Number(fate.id), { ...fate, group: into })
  }
  tx.closeGroup(from)
  if (tx.state.split?.group === from) tx.setState({ split: { ...tx.state.split, group: into } })
}
