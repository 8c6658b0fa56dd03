/** What every pull is checked for before anything is read for it. */
import type { PullRequest } from '@entidb/protocol'
import { cursorAhead, invalidRequest } from '../wire-error.ts'
import type { MetaRow, ServerReader } from './collections.ts'
import { assertNotSuperseded, assertOwnedBy, readDevice } from './devices.ts'
import { assertEpoch } from './epoch-check.ts'
import { readMeta } from './meta.ts'

/** `subject`: as in `assertOwnedBy`. Errors: `device_conflict`, `epoch_mismatch`, `cursor_ahead`. */
export async function assertMayPull(
  reader: ServerReader,
  request: PullRequest,
  subject: string | undefined,
): Promise<MetaRow> {
  const { deviceId, replicaId, epoch } = request
  const meta = await readMeta(reader)
  if (deviceId !== undefined) {
    const device = await readDevice(reader, deviceId)
    assertOwnedBy(device, subject)
    await assertNotSuperseded(reader, deviceId, device, replicaId)
  }
  await assertEpoch(reader, meta, epoch)
  if (reachedCursor(request) > meta.head) throw cursorAhead()
  return meta
}

/** What the puller has everything up to, or will have at the end of its snapshot. */
export function reachedCursor({ sinceCursor, snapshot }: PullRequest): number {
  return snapshot?.through ?? sinceCursor
}

/** Error: `invalid_request`. */
export function assertSnapshotPlace({ sinceCursor, snapshot }: PullRequest): void {
  if (snapshot === undefined) return
  const { through, after } = snapshot
  if (sinceCursor !== 0) throw invalidRequest('A snapshot begins with cursor 0')
  if ((through === undefined) !== (after === undefined)) {
    throw invalidRequest('A page of a snapshot needs both `through` and `after` of the page before')
  }
}
