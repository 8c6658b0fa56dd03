/** Packs operations that are encoded already, in one pass. */
import { CborWriter } from '@entidb/core/cbor'
import { idOffsetIn } from './id-in-entity.ts'
import type { OperationContent } from './kind-template.ts'
import type { ColumnName, PackedOperations } from './packed-operations.ts'
import { type PageKind, PageKinds } from './page-kinds.ts'

/** `operations`: as `encodeSyncOperation` writes them, by revision; anything else is a `TypeError`. */
export function packOperations(operations: readonly Uint8Array[]): PackedOperations {
  const kinds = new PageKinds()
  for (const column of Object.values(columns)) column.reset()
  let kind: PageKind | undefined
  let revision = 0
  for (const operation of operations) {
    let content = kind?.contentOf(operation)
    if (kind === undefined || content === undefined) {
      kind = kinds.kindOf(operation)
      content = kind.contentOf(operation)
    }
    if (content === undefined || content.revision <= revision) {
      throw new TypeError('Not the operations of a page')
    }
    writeContent(content, kind, revision)
    revision = content.revision
  }
  return { kinds: kinds.all, ...takeColumns() }
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

function takeColumns(): Omit<PackedOperations, 'kinds'> {
  const taken: { -readonly [K in ColumnName]?: Uint8Array } = {}
  for (const [name, column] of Object.entries(columns)) {
    // The keys of `columns` are these names.
    if (column.length > 0) taken[name as ColumnName] = column.take()
  }
  return taken
}

function writeContent(content: OperationContent, kind: PageKind, revision: number): void {
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
