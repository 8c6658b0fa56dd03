/** The endpoints that carry a message: decode, find the database, ask it, encode. */
import {
  decodeHandshakeRequest,
  decodePullRequest,
  decodePushRequest,
  decodeVerifyRequest,
  encodeHandshakeResponse,
  encodePackedPullPage,
  encodePullPage,
  encodePushResponse,
  encodeSnapshotPage,
  encodeVerifyResponse,
  HANDSHAKE_PATH,
  PULL_PATH,
  PUSH_PATH,
  type PullRequest,
  readsPacked,
  VERIFY_PATH,
} from '@entidb/protocol'
import type { Identity } from '../auth/identity.ts'
import type { SyncDatabase } from '../database/sync-database.ts'
import type { Databases } from '../databases.ts'
import type { Metrics } from '../metrics.ts'
import { forbidden, tooLarge } from '../wire-error.ts'

/** Takes the body of a request and gives the body of the answer. */
export type Endpoint = (body: Uint8Array, identity: Identity) => Promise<Uint8Array>

/** That a pull may ask for by name. */
const COLLECTIONS_MAX = 10_000

export function createEndpoints(
  databases: Databases,
  metrics: Metrics,
): ReadonlyMap<string, Endpoint> {
  return new Map<string, Endpoint>([
    [
      HANDSHAKE_PATH,
      async (body, identity) => {
        const request = decodeHandshakeRequest(body)
        assertDevice(identity, request.deviceId)
        return encodeHandshakeResponse(
          await databases.useFor(request.dbId, identity, (database) =>
            database.handshake(request, identity),
          ),
        )
      },
    ],
    [
      PULL_PATH,
      async (body, identity) => {
        const request = decodePullRequest(body)
        assertFewCollections(request)
        if (request.deviceId !== undefined) assertDevice(identity, request.deviceId)
        return databases.useFor(request.dbId, identity, (database) =>
          answerPull(database, request, identity, metrics),
        )
      },
    ],
    [
      PUSH_PATH,
      async (body, identity) => {
        const request = decodePushRequest(body)
        assertDevice(identity, request.deviceId)
        if (identity.access !== 'write') throw forbidden()
        const response = await databases.useFor(request.dbId, identity, (database) =>
          database.push(request, identity),
        )
        metrics.countPush(response)
        return encodePushResponse(response)
      },
    ],
    [
      VERIFY_PATH,
      async (body, identity) => {
        const request = decodeVerifyRequest(body)
        return encodeVerifyResponse(
          await databases.useFor(request.dbId, identity, (database) =>
            database.verify(request, identity),
          ),
        )
      },
    ],
  ])
}

async function answerPull(
  database: SyncDatabase,
  request: PullRequest,
  identity: Identity,
  metrics: Metrics,
): Promise<Uint8Array> {
  const snapshot = await database.pullSnapshot(request, identity)
  if (snapshot !== undefined) {
    metrics.countPulled(snapshot.states.length)
    return encodeSnapshotPage(snapshot)
  }
  const page = await database.pull(request, identity)
  metrics.countPulled(page.ops.length)
  return readsPacked(request) ? encodePackedPullPage(page) : encodePullPage(page)
}

/**
 * A body has room for a million names, of a hundred bytes of memory each for as long as the request waits and is answered.
 * Error: `too_large`.
 */
function assertFewCollections({ collections = [] }: PullRequest): void {
  if (collections.length > COLLECTIONS_MAX) {
    throw tooLarge('The number of collections', COLLECTIONS_MAX)
  }
}

/** A token bound to one device is no good for another. Error: `forbidden`. */
function assertDevice(identity: Identity, deviceId: string): void {
  if (identity.deviceId !== undefined && identity.deviceId !== deviceId) throw forbidden()
}
