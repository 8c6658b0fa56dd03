/** A client that knows the protocol and nothing else: pulls everything the server has. */
import {
  decodePullResponse,
  encodePullRequest,
  type PullResponse,
  type SyncOperation,
} from '@entidb/protocol'
import { Agent, fetch } from 'undici'
import type { Workplace } from './workplace.ts'

export async function pullEverything(
  url: string,
  dbId: string,
  workplace: Workplace,
): Promise<SyncOperation[]> {
  const dispatcher = new Agent({ connect: { ca: workplace.cert } })
  const operations: SyncOperation[] = []
  try {
    for (let sinceCursor = 0; ; ) {
      const page = await pullPage(url, { dbId, sinceCursor }, workplace.token, dispatcher)
      operations.push(...page.ops)
      sinceCursor = page.nextCursor
      if (!page.hasMore) return operations
    }
  } finally {
    await dispatcher.close()
  }
}

async function pullPage(
  url: string,
  request: { dbId: string; sinceCursor: number },
  token: string,
  dispatcher: Agent,
): Promise<PullResponse> {
  const response = await fetch(new URL('/v1/pull', url), {
    method: 'POST',
    headers: { 'content-type': 'application/cbor', authorization: `Bearer ${token}` },
    body: encodePullRequest(request),
    dispatcher,
  })
  const body = new Uint8Array(await response.arrayBuffer())
  if (response.status !== 200) throw new Error(`pull answered ${response.status}`)
  return decodePullResponse(body)
}
