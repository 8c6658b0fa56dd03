/** What was decided before, for the operations of one request. */
import type { SyncOperation } from '@entidb/protocol'
import {
  type AcceptedOpRow,
  operationKey,
  operationKeys,
  type ServerTransaction,
} from './collections.ts'

/** Up to so many possible opIds for each operation, one scan beats looking each one up. */
const SPAN_PER_OP_MAX = 4

/** In the order of `ops`, whose opIds increase; undefined for the new ones. */
export async function readAccepted(
  tx: ServerTransaction,
  deviceId: string,
  ops: readonly SyncOperation[],
): Promise<readonly (AcceptedOpRow | undefined)[]> {
  const [first, last] = [ops.at(0), ops.at(-1)]
  if (first === undefined || last === undefined) return []
  const accepted = tx.collection('accepted_ops')
  const keyOf = ({ opId }: SyncOperation) => operationKey(deviceId, opId)
  const span = last.opId - first.opId + 1
  if (span > SPAN_PER_OP_MAX * ops.length) return accepted.getMany(ops.map(keyOf))
  const rows = await accepted.find({
    where: { id: operationKeys(deviceId, first.opId, last.opId) },
  })
  // Most requests are new.
  if (rows.length === 0) return new Array<undefined>(ops.length).fill(undefined)
  const rowsByKey = new Map(rows.map((row) => [row.id, row]))
  return ops.map((op) => rowsByKey.get(keyOf(op)))
}
