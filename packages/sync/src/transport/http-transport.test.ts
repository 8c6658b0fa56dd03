import {
  decodePullRequest,
  encodePackedPullPage,
  encodePullPage,
  encodePullResponse,
  encodeSyncOperation,
  MEDIA_TYPE,
  PACKED_FORM,
  type SyncOperation,
} from '@entidb/protocol'
import { expect, test } from 'vitest'
import type { FetchInit, FetchResponse } from '../environment.ts'
import { HttpTransport } from './http-transport.ts'
import { TokenSource } from './token-source.ts'

/** Answers every request with `page`. */
function transportTo(
  serverUrl: string,
  page: Uint8Array,
  seen: (request: FetchInit) => void,
): HttpTransport {
  const fetch = async (_: string, init: FetchInit): Promise<FetchResponse> => {
    seen(init)
    const body = page as Uint8Array<ArrayBuffer>
    return new Response(body, { headers: { 'content-type': MEDIA_TYPE } })
  }
  return new HttpTransport({
    serverUrl,
    fetch,
    tokens: new TokenSource(async () => 'token'),
    timers: { after: () => () => {} },
    requestTimeoutMs: 1000,
    responseBytesMax: 1000,
    onContact: () => {},
    onExchange: () => {},
  })
}

const empty = encodePullResponse({ ops: [], nextCursor: 1, hasMore: false })

async function encodingAskedOf(serverUrl: string): Promise<string | undefined> {
  let asked: string | undefined
  const transport = transportTo(serverUrl, empty, ({ headers }) => {
    asked = headers['Accept-Encoding']
  })
  await transport.pull({ dbId: 'test', sinceCursor: 0 }, new AbortController().signal)
  return asked
}

test.each([
  ['https://sync.example.org', 'gzip'],
  ['https://sync.example.org:8443/base', 'gzip'],
  ['https://127.0.0.1:8443', 'identity'],
  ['https://localhost', 'identity'],
  ['http://[::1]:80', 'identity'],
])('server at %s: -> answers are asked for as %s', async (serverUrl, encoding) => {
  expect(await encodingAskedOf(serverUrl)).toBe(encoding)
})

const operation: SyncOperation = {
  opId: 1,
  dbId: 'test',
  deviceId: 'phone-1',
  collection: 'notes',
  entityId: 'n1',
  opType: 'DELETE',
  entityVersion: 7,
  entityCbor: null,
}

test.each([
  ['plain', encodePullPage],
  ['packed', encodePackedPullPage],
])('pull: asks for packed pages, answered %s -> the page', async (_, encode) => {
  const page = { nextCursor: 7, hasMore: false }
  const answer = encode({ ...page, ops: [encodeSyncOperation(operation)] })
  let asked: number | undefined
  const transport = transportTo('https://sync.example.org', answer, ({ body }) => {
    asked = decodePullRequest(body as Uint8Array).packed
  })
  const request = { dbId: 'test', sinceCursor: 0 }
  const received = await transport.pull(request, new AbortController().signal)
  expect(received).toEqual({ ...page, ops: [operation] })
  expect(asked).toBe(PACKED_FORM)
})
