/** Writes the columns of a packed page, one operation after the other. */
import { CborWriter } from '@entidb/core/cbor'
import type { OperationContent } from './kind-template.ts'
import type { ColumnName, PackedColumns, PackedOperations } from './packed-operations.ts'
import { PageShapes } from './page-shapes.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A kind of a page that is being packed, with what its last operation says about the next one. */
export interface PackedKind {
  readonly index: number
  /** The numbers of its last operation, which those of the next one are told from. */
  opId: number
  tx: number
  timestampMs: number
  /** Index of the shape of its last entity, which the next one is likely to have. */
  shape: number
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
  shapeIndexes: new CborWriter(),
  entitySizes: new CborWriter(),
  entities: new CborWriter(),
}

let shapes = new PageShapes()

/** Before the first operation of a page. */
export function beginColumns(): void {
  shapes = new PageShapes()
  for (const column of Object.values(columns)) column.reset()
}

/** After the last one. Nothing of the page is held here any longer. */
export function takeColumns(): Omit<PackedOperations, 'kinds'> {
  const taken: Mutable<PackedColumns> = {}
  for (const [name, column] of Object.entries(columns)) {
    // The keys of `columns` are these names.
    if (column.length > 0) taken[name as ColumnName] = column.take()
  }
  const { all } = shapes
  shapes = new PageShapes()
  return all.length > 0 ? { ...taken, shapes: all } : taken
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
  if (entity !== null) writeEntity(entity, entityId, kind)
  kind.opId = opId
  kind.tx = tx ?? 0
  kind.timestampMs = timestampMs ?? 0
}

/** Of a text whose length takes two bytes at most, as that of an id does. */
function textHeadBytesOf(item: Uint8Array): number {
  const info = (item[0] as number) & 0x1f
  return info < 24 ? 1 : info - 22
}

function writeEntity(entity: Uint8Array, id: Uint8Array, kind: PackedKind): void {
  const shape = shapes.write(entity, id, kind.shape)
  columns.shapeIndexes.writeUint(shape + 1)
  if (shape >= 0) {
    kind.shape = shape
    return
  }
  columns.entitySizes.writeUint(entity.length)
  columns.entities.writeRaw(entity)
}
