/**
 * Applies the answer to a handshake: one transaction that notices a server with another history, a
 * device restored from a backup, and a token that may see something else than before.
 */
import { EntiDBError } from '@entidb/core'
import { type HandshakeResponse, PROTOCOL_VERSION } from '@entidb/protocol'
import type { ResyncReason } from '../events.ts'
import { forgetEvictedBeyond } from '../evict/evicted-rows.ts'
import { isStill, type PullOrigin } from '../pull/apply-page.ts'
import { beginResync } from '../pull/resync.ts'
import { assertOpIdsLeft } from '../push/undecided.ts'
import { sameBytes } from '../same-bytes.ts'
import type { StateRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { changeEpoch } from './epoch-change.ts'
import { partingPoint } from './history.ts'

export interface HandshakeOutcome {
  readonly epoch: { readonly point: number; readonly recovered: number } | null
  readonly renumbered: boolean
  readonly resync: ResyncReason | null
}

/** Undefined when the answer comes too late. Error: `unsupported_protocol`. */
export async function applyHandshake(
  tx: SyncTransaction,
  response: HandshakeResponse,
  origin: PullOrigin,
): Promise<HandshakeOutcome | undefined> {
  assertProtocol(response)
  if (!isStill(tx.state, origin)) return undefined
  const before = tx.state
  const epoch = await adoptHistory(tx, response)
  const again = epoch === null ? null : await reasonToBeginAgain(tx, before, response, epoch.point)
  if (again !== null) beginResync(tx, again)
  const renumbered = outrunServer(tx, response.lastOpId ?? 0)
  const { state } = tx
  if ((response.purgedThrough ?? 0) > state.purgedThrough) {
    tx.setState({ purgedThrough: response.purgedThrough ?? 0 })
  }
  const resync = adoptScope(tx, response.scope ?? null) ?? again
  return { epoch, renumbered, resync }
}

function assertProtocol({ protocol }: HandshakeResponse): void {
  const [major] = PROTOCOL_VERSION
  if (protocol === undefined || protocol[0] === major) return
  throw new EntiDBError(
    'unsupported_protocol',
    `The server speaks protocol ${protocol.join('.')}, this client ${PROTOCOL_VERSION.join('.')}`,
  )
}

async function adoptHistory(
  tx: SyncTransaction,
  { epoch, history, purgedThrough = 0 }: HandshakeResponse,
): Promise<HandshakeOutcome['epoch']> {
  if (epoch === undefined || history === undefined) return null
  if (!sameBytes(history.at(-1)?.epoch ?? null, epoch)) throw wrongEpoch()
  const { state } = tx
  const knowsNothing = state.history.length === 0 && state.cursor === 0 && state.revisionMax === 0
  const point = knowsNothing ? undefined : partingPoint(state.history, history)
  if (point === undefined) {
    if (state.epoch === null) tx.setState({ epoch, history })
    return null
  }
  return { point, recovered: await changeEpoch(tx, { point, epoch, history, purgedThrough }) }
}

/** Believed, it would be asked for an epoch that it does not have, again and again. */
function wrongEpoch(): EntiDBError {
  return new EntiDBError('invalid_response', 'The epoch is not the last of the history', {
    retry: 'later',
  })
}

/** Why what the server has at or before the point, too, has to be pulled: the cursor alone does not bring it. */
async function reasonToBeginAgain(
  tx: SyncTransaction,
  { resync, purgedThrough, pullingTo = 0 }: StateRow,
  response: HandshakeResponse,
  point: number,
): Promise<ResyncReason | null> {
  if ((await forgetEvictedBeyond(tx, point)) > 0) return 'evicted'
  // What was seen of the other history counts no more.
  if (resync !== null) return resync.reason
  // The server has again what was deleted and forgotten, or superseded and left out of the pages so far.
  if (purgedThrough > point || pullingTo > point) return 'epoch'
  // Or it forgot deletes since: what it does not name in the end may have been deleted there.
  return (response.purgedThrough ?? 0) > point ? 'epoch' : null
}

/** The server saw opIds above any this file froze: the file is an older copy of itself. */
function outrunServer(tx: SyncTransaction, serverOpIdMax: number): boolean {
  const { state } = tx
  if (serverOpIdMax <= state.frozenOpIdMax) return false
  assertOpIdsLeft(serverOpIdMax)
  const opIdOffset = Math.max(state.opIdOffset, serverOpIdMax - state.feedPosition)
  if (opIdOffset === state.opIdOffset) return false
  tx.setState({ opIdOffset })
  return true
}

function adoptScope(tx: SyncTransaction, scope: string | null): ResyncReason | null {
  const { state } = tx
  if (scope === state.scope) return null
  tx.setState({ scope })
  // Having got nothing of all that there is means as little as having got a part of it.
  const { cursor, revisionMax, snapshot = null } = state
  const hasBegun = cursor > 0 || revisionMax > 0 || snapshot !== null
  if (state.scope === null || scope === null || !hasBegun) return null
  beginResync(tx, 'scope')
  return 'scope'
}
