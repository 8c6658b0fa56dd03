/** What a handshake is answered with. */
import { type HandshakeRequest, type HandshakeResponse, PROTOCOL_VERSION } from '@entidb/protocol'
import { announcedLimits, type ServerLimits } from '../limits.ts'
import { unsupportedProtocol } from '../wire-error.ts'
import type { DeviceRow, MetaRow, ServerReader } from './collections.ts'
import { readHistory } from './meta.ts'
import type { Permissions } from './permissions.ts'

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
    counts: await readCounts(reader, permissions),
    scope: permissions.scope,
    purgedThrough: meta.purgedThrough,
  }
}

/** Of collections that are wholly visible: a number must not tell of what is hidden. */
async function readCounts(
  reader: ServerReader,
  permissions: Permissions,
): Promise<Readonly<Record<string, number>>> {
  const rows = await reader.collection('collection_state').find({})
  const counts: Record<string, number> = Object.create(null)
  for (const { id, liveEntities } of rows) {
    if (liveEntities > 0 && permissions.readsWholly(id)) {
      counts[id] = liveEntities
    }
  }
  return counts
}
