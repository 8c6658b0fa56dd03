/**
 * A client that knows the protocol and nothing else: pulls a whole database from cursor 0 and keeps the
 * newest state of every entity. It shares no code with the sync client, so its answer is evidence.
 */
import {
  decodePullResponse,
  encodePullRequest,
  MEDIA_TYPE,
  PULL_PATH,
  type PullResponse,
  type SyncOperation,
} from '@entidb/protocol'
import type { HttpsFetch } from './metered-fetch.ts'

export interface PullConnection {
  readonly serverUrl: URL
  readonly dbId: string
  readonly token: string
  readonly fetch: HttpsFetch
}

/** `fetch` rejects with a TypeError when the network failed. */
const attemptsMax = 3

/** The newest operation on every entity, deletes included, by collection and id. */
export async function pullStates(
  connection: PullConnection,
): Promise<ReadonlyMap<string, SyncOperation>> {
  const states = new Map<string, SyncOperation>()
  for (let cursor = 0, more = true; more; ) {
    const page = await pullPage(connection, cursor)
    // A name holds no slash, so the key is unambiguous.
    for (const op of page.ops) states.set(`${op.collection}/${op.entityId}`, op)
    cursor = page.nextCursor
    more = page.hasMore
  }
  return states
}

/** A pull changes nothing, so one that broke off is simply repeated: idle connections may have been ended. */
async function pullPage(connection: PullConnection, sinceCursor: number): Promise<PullResponse> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await requestPage(connection, sinceCursor)
    } catch (error) {
      if (attempt === attemptsMax || !(error instanceof TypeError)) throw error
    }
  }
}

async function requestPage(connection: PullConnection, sinceCursor: number): Promise<PullResponse> {
  const { serverUrl, dbId, token, fetch } = connection
  const response = await fetch(new URL(PULL_PATH, serverUrl), {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPE, accept: MEDIA_TYPE, authorization: `Bearer ${token}` },
    // Copied into a buffer of its own: a body must not be a view that something else may change.
    body: new Uint8Array(encodePullRequest({ dbId, sinceCursor })),
  })
  const body = new Uint8Array(await response.arrayBuffer())
  if (!response.ok) throw new Error(`pull from cursor ${sinceCursor}: HTTP ${response.status}`)
  return decodePullResponse(body)
}
