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
  const [into = tx.newGroup(), ...others] = groups
  for (const group of others) await mergeGroup(tx, group, into)
  for (const ref of members) {
    if (tx.findNote(entityKey(ref))?.group !== into) tx.changeNote(ref, { group: into })
  }
  return into
}

async function mergeGroup(tx: SyncTransaction, from: number, into: number): Promise<void> {
  for (const note of tx.notesOfGroup(from)) tx.changeNote(note, { group: into })
  for (const fate of await tx.fatesOfGroup(from)) {
    await tx.putFate(Number(fate.id), { ...fate, group: into })
  }
  tx.closeGroup(from)
  if (tx.state.split?.group === from) tx.setState({ split: { ...tx.state.split, group: into } })
}
