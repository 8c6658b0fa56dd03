/** What a handshake is answered with. */
import { type HandshakeRequest, type HandshakeResponse, PROTOCOL_VERSION } from '@entidb/protocol'
import { announcedLimits, type ServerLimits } from '../limits.ts'
import { unsupportedProtocol } from '../wire-error.ts'
import type { DeviceRow, MetaRow, ServerReader } from './collections.ts'
import { readHistory } from './meta.ts'
import type { Permissions } from './permissions.ts'

/** Collections whose entities are counted in a handshake. */
const COUNTS_MAX = 1_000

/** Error: `unsupported_protocol` for another major version. A client that names none speaks ours. */
export function assertProtocol(request: HandshakeRequest): void {
  if (request.protocol !== undefined && request.protocol[0] !== PROTOCOL_VERSION[0]) {
    throw unsupportedProtocol()
  }
}

export async function handshakeResponse(
  reader: ServerReader,
  meta: MetaRow,
  device: DeviceRow | undefined,
  permissions: Permissions,
  limits: ServerLimits,
): Promise<HandshakeResponse> {
  const counts = await readCounts(reader, permissions)
  return {
    serverCursor: meta.head,
    capabilities: {
      pull: true,
      push: permissions.identity.access === 'write',
      sse: true,
      groups: true,
      rejections: true,
      digest: permissions.readsAll,
      collections: true,
      packed: true,
    },
    protocol: PROTOCOL_VERSION,
    epoch: meta.epoch,
    history: await readHistory(reader),
    lastOpId: device?.lastOpId ?? 0,
    limits: announcedLimits(limits),
    ...(counts === undefined ? {} : { counts }),
    scope: permissions.scope,
    purgedThrough: meta.purgedThrough,
  }
}

/**
 * Of collections that are wholly visible: a number must not tell of what is hidden. Undefined where there are very many
 * collections: every handshake would read and send them all.
 */
async function readCounts(
  reader: ServerReader,
  permissions: Permissions,
): Promise<Readonly<Record<string, number>> | undefined> {
  const rows = await reader.collection('collection_state').find({ limit: COUNTS_MAX + 1 })
  if (rows.length > COUNTS_MAX) return undefined
  const counts: Record<string, number> = Object.create(null)
  for (const { id, liveEntities } of rows) {
    if (liveEntities > 0 && permissions.readsWholly(id)) {
      counts[id] = liveEntities
    }
  }
  return counts
}
