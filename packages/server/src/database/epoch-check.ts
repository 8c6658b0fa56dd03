/** A request that names an epoch names the current one, or learns the history. */
import { epochMismatch } from '../wire-error.ts'
import type { MetaRow, ServerReader } from './collections.ts'
import { isSameBytes, readHistory } from './meta.ts'

/** A request without an epoch is served. Error: `epoch_mismatch`. */
export async function assertEpoch(
  reader: ServerReader,
  meta: MetaRow,
  epoch: Uint8Array | undefined,
): Promise<void> {
  if (epoch === undefined || isSameBytes(epoch, meta.epoch)) return
  throw epochMismatch(await readHistory(reader))
}
