/** Shakes hands: who we are, what the server allows, whether it is still the one we knew. */
import { isEntiDBError } from '@entidb/core'
import { encodePushRequest } from '@entidb/protocol'
import type { SyncContext } from '../cycle/sync-context.ts'
import { applyHandshake } from './apply-handshake.ts'

const APPLY_TRIES_MAX = 5

export async function greet(context: SyncContext, signal: AbortSignal): Promise<void> {
  let hasAsked = false
  for (let tries = 0; tries < APPLY_TRIES_MAX; tries++) {
    if (!(await greetOnce(context, signal))) continue
    if (hasAsked || !isServerBehind(context)) return
    hasAsked = true
    await askForEpoch(context, signal)
  }
}

/**
 * It lacks revisions that this device knows, under the epoch that gave them: it was put back to a backup, and has not
 * noticed yet. Our cursor may be one that it has.
 */
function isServerBehind({ head, store: { state } }: SyncContext): boolean {
  return state.epoch !== null && head < state.revisionMax
}

/** Such a server begins an epoch with the first push, whatever is in it. Nobody else may ever make one. */
async function askForEpoch(context: SyncContext, signal: AbortSignal): Promise<void> {
  const { store, transport, replicaId } = context
  const { dbId, deviceId } = store.state
  try {
    await transport.push(encodePushRequest({ dbId, deviceId, replicaId, ops: [] }), signal)
  } catch (error) {
    // Who may only read waits for somebody who may write.
    if (!isEntiDBError(error, 'forbidden')) throw error
  }
}

async function greetOnce(context: SyncContext, signal: AbortSignal): Promise<boolean> {
  const { store, transport, emitter, replicaId, clientInfo } = context
  const origin = store.state
  const response = await transport.handshake(
    {
      dbId: origin.dbId,
      deviceId: origin.deviceId,
      protocol: [1, 0],
      replicaId,
      lastOpId: origin.frozenOpIdMax,
      ...(origin.epoch === null ? {} : { epoch: origin.epoch }),
      ...(clientInfo === undefined ? {} : { clientInfo }),
    },
    signal,
  )
  const outcome = await store.transaction((tx) => applyHandshake(tx, response, origin))
  if (outcome === undefined) return false
  context.limits = response.limits ?? context.limits
  context.capabilities = response.capabilities
  context.head = response.serverCursor
  context.serverEntities =
    response.counts === undefined
      ? undefined
      : Object.values(response.counts).reduce((sum, count) => sum + count, 0)
  if (outcome.epoch !== null) emitter.emit('epoch', outcome.epoch)
  if (outcome.resync !== null) emitter.emit('resync', { phase: 'began', reason: outcome.resync })
  if (outcome.renumbered) {
    emitter.emit('device', { reason: 'renumbered', deviceId: store.state.deviceId })
  }
  return true
}
