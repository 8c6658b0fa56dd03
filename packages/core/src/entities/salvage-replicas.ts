/**
 * Entities whose record is lost, and not the replicated state that their local edits were made on: they get
 * that state. Left alone, it would stand for an entity that is known and gone, and no sync would bring it back.
 */
import type { KeyValueStore } from '../store/key-value-store.ts'
import { recordTable } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { encodeRecord } from './record.ts'
import { decodeReplicaRow } from './replica-row.ts'
import type { SalvagedContent } from './salvage-content.ts'
import { entriesOf } from './salvage-indexes.ts'
import type { LossList } from './salvage-report.ts'
import type { SalvageWriter } from './salvage-writer.ts'
import { roleOfTable } from './table-role.ts'

export async function restoreFromBases(
  store: KeyValueStore,
  writer: SalvageWriter,
  content: SalvagedContent,
  losses: LossList,
): Promise<void> {
  const view = store.snapshot()
  try {
    for (const table of await view.tables()) {
      const { kind, collection } = roleOfTable(table)
      if (kind !== 'replica' || collection === undefined) continue
      for await (const [key, row] of entriesOf(view.scan(table, {}))) {
        const { kind: rowKind, state } = decodeReplicaRow(row)
        if (rowKind !== 'base') continue
        if ((await view.get(recordTable(collection), key)) !== undefined) continue
        await writer.delete(table, key)
        const { version: revision, schemaVersion, bytes } = state
        if (bytes === null) continue
        const header = {
          pending: false,
          revision,
          schemaVersion,
          stamp: content.nextOpId(),
          opId: 0,
        }
        const record = encodeRecord(header, bytes)
        if (content.wrongWith(recordTable(collection), key, record) !== undefined) continue
        await writer.put(recordTable(collection), key, record)
        const id = idOfKey(key)
        const message = `local edits of ${id} could not be read: it has the state they were made on`
        losses.add({ code: 'corrupt', collection, id, message })
      }
    }
    await writer.flush()
  } finally {
    view.release()
  }
}
