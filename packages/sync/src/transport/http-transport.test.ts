import { encodePullResponse, MEDIA_TYPE } from '@entidb/protocol'
import { expect, test } from 'vitest'
import type { FetchInit, FetchResponse } from '../environment.ts'
import { HttpTransport } from './http-transport.ts'
import { TokenSource } from './token-source.ts'

async function encodingAskedOf(serverUrl: string): Promise<string | undefined> {
  let asked: string | undefined
  const fetch = async (_: string, init: FetchInit): Promise<FetchResponse> => {
    asked = init.headers['Accept-Encoding']
    const page = encodePullResponse({ ops: [], nextCursor: 1, hasMore: false })
    const body = page as Uint8Array<ArrayBuffer>
    return new Response(body, { headers: { 'content-type': MEDIA_TYPE } })
  }
  const transport = new HttpTransport({
    serverUrl,
    fetch,
    tokens: new TokenSource(async () => 'token'),
    timers: { after: () => () => {} },
    requestTimeoutMs: 1000,
    responseBytesMax: 1000,
    onContact: () => {},
    onExchange: () => {},
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
