/** Operations as rules make them. */
import type { SyncOperation } from '@entidb/protocol'
import { encodeItem, type ItemMap } from './cbor-item.ts'

/** A `SyncOperation` that can also be changed into something that is none. */
export type Operation = Pick<SyncOperation, keyof SyncOperation>

/** What may differ from the usual operation. */
export type OperationFields = Partial<Operation>

/** The bytes of an entity. */
export function entityOf(id: string, fields: ItemMap = {}): Uint8Array {
  return encodeItem({ id, ...fields })
}

export function opIdsOf(ops: readonly { readonly opId: number }[]): number[] {
  return ops.map(({ opId }) => opId)
}
