/** A server's state of an entity as messages have it, and as it is kept here. */
import type { ServerState } from '@entidb/protocol'
import type { RemoteState } from './rows.ts'

/** Versions of a shape begin at 1. The protocol lets any peer name 0, which is no reason for all others to stop. */
export function remoteStateOf({
  entityVersion,
  entityCbor,
  schemaVersion = 1,
}: ServerState): RemoteState {
  return {
    version: entityVersion,
    bytes: entityCbor,
    schemaVersion: Math.max(1, schemaVersion),
  }
}
