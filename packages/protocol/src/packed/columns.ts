/** Writes the columns of a packed page, one operation after the other. */
import { CborWriter } from '@entidb/core/cbor'
import { idOffsetIn } from './id-in-entity.ts'
import type { OperationContent } from './kind-template.ts'
import type { ColumnName, PackedColumns } from './packed-operations.ts'

/** A kind of a page that is being packed, with the numbers of its last operation, which those of the next one are told from. */
export interface PackedKind {
  readonly index: number
  opId: number
  tx: number
  timestampMs: number
}

// Packing never waits, so one buffer for each column serves all pages.
const columns: Readonly<Record<ColumnName, CborWriter>> = {
  kindIndexes: new CborWriter(),
  revisions: new CborWriter(),
  opIds: new CborWriter(),
  entityIdSizes: new CborWriter(),
  entityIds: new CborWriter(),
  txs: new CborWriter(),
  timestampsMs: new CborWriter(),
  entitySizes: new CborWriter(),
  idOffsets: new CborWriter(),
  entities: new CborWriter(),
}

/** Before the first operation of a page. */
export function beginColumns(): void {
  for (const column of Object.values(columns)) column.reset()
}

/** After the last one. */
export function takeColumns(): PackedColumns {
  const taken: { -readonly [K in ColumnName]?: Uint8Array } = {}
  for (const [name, column] of Object.entries(columns)) {
    // The keys of `columns` are these names.
    if (column.length > 0) taken[name as ColumnName] = column.take()
  }
  return taken
}

/** `revision`: that of the operation before. */
export function writeContent(content: OperationContent, kind: PackedKind, revision: number): void {
  const { opId, entityId, entity, tx, timestampMs } = content
  columns.kindIndexes.writeUint(kind.index)
  columns.revisions.writeUint(content.revision - revision)
  columns.opIds.writeInt(opId - kind.opId)
  const headBytes = textHeadBytesOf(entityId)
  columns.entityIdSizes.writeUint(entityId.length - headBytes)
  columns.entityIds.writeRawRange(entityId, headBytes, entityId.length)
  if (tx !== undefined) columns.txs.writeInt(tx - kind.tx)
  if (timestampMs !== undefined) columns.timestampsMs.writeInt(timestampMs - kind.timestampMs)
  if (entity !== null) writeEntity(entity, entityId)
  kind.opId = opId
  kind.tx = tx ?? 0
  kind.timestampMs = timestampMs ?? 0
}

/** Of a text whose length takes two bytes at most, as that of an id does. */
function textHeadBytesOf(item: Uint8Array): number {
  const info = (item[0] as number) & 0x1f
  return info < 24 ? 1 : info - 22
}

function writeEntity(entity: Uint8Array, id: Uint8Array): void {
  const idOffset = idOffsetIn(entity, id)
  const idEnd = idOffset > 0 ? idOffset + id.length : 0
  columns.idOffsets.writeUint(idOffset)
  columns.entitySizes.writeUint(entity.length - (idEnd - idOffset))
  columns.entities.writeRawRange(entity, 0, idOffset)
  columns.entities.writeRaw(entity.subarray(idEnd))
}
