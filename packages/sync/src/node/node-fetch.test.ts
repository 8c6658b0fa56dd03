import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { generate } from 'selfsigned'
import { afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { FetchInit, FetchResponse } from '../environment.ts'
import { readBody } from '../transport/response-body.ts'
import { nodeFetch } from './node-fetch.ts'

const MIB = 1024 * 1024

let tls: { readonly cert: string; readonly key: string }
let servers: Server[] = []

beforeAll(async () => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  tls = { cert: made.cert, key: made.private }
})

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  servers = []
})

/** Returns its address. */
async function listen(
  listener: RequestListener,
  secure?: Pick<ServerOptions, 'cert' | 'key'>,
): Promise<string> {
  const server = secure ? createSecureServer(secure, listener) : createServer(listener)
  servers.push(server)
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens
  return `${secure ? 'https' : 'http'}://localhost:${port}/v1/pull?x=1`
}

function init(changes: Partial<FetchInit> = {}): FetchInit {
  return {
    method: 'GET',
    headers: {},
    signal: new AbortController().signal,
    redirect: 'error',
    cache: 'no-store',
    credentials: 'omit',
    ...changes,
  }
}

function textOf(response: FetchResponse): Promise<string> {
  return readBody(response, 100 * MIB, () => {}).then((bytes) => Buffer.from(bytes).toString())
}

async function textAsked(listener: RequestListener, changes?: Partial<FetchInit>): Promise<string> {
  return textOf(await nodeFetch()(await listen(listener), init(changes)))
}

test('a request -> goes out as it is, and is answered with status, headers and body', async () => {
  const url = await listen(async (incoming, answer) => {
    const body = Buffer.concat(await incoming.toArray()).toString()
    answer.writeHead(418, { 'Content-Type': 'a/b; c=d', 'Set-Cookie': ['e=f', 'g=h'] })
    answer.end(JSON.stringify([incoming.method, incoming.url, incoming.headers['x-y'], body]))
  })
  const body = new Uint8Array(Buffer.from('body')) as Uint8Array<ArrayBuffer>
  const response = await nodeFetch()(url, init({ method: 'POST', headers: { 'X-Y': 'z' }, body }))
  expect(response.status).toBe(418)
  expect(response.headers.get('Content-Type')).toBe('a/b; c=d')
  expect(response.headers.get('set-cookie')).toBe('e=f, g=h')
  expect(response.headers.get('retry-after')).toBe(null)
  expect(JSON.parse(await textOf(response))).toEqual(['POST', '/v1/pull?x=1', 'z', 'body'])
})

test('over TLS -> the given authority is trusted, and no other server is', async () => {
  const url = await listen((_, answer) => answer.end('secure'), tls)
  expect(await textOf(await nodeFetch({ ca: tls.cert })(url, init()))).toBe('secure')
  await expect(nodeFetch()(url, init())).rejects.toThrow('self-signed')
})

test('an option that is not known -> TypeError', () => {
  const options: object = { cas: tls.cert }
  expect(() => nodeFetch(options)).toThrow(TypeError)
})

test('one request after the other -> over one connection', async () => {
  const ports = new Set<number | undefined>()
  const url = await listen(({ socket }, answer) => {
    ports.add(socket.remotePort)
    answer.end('again')
  })
  const fetch = nodeFetch()
  for (let i = 0; i < 3; i++) expect(await textOf(await fetch(url, init()))).toBe('again')
  expect(ports.size).toBe(1)
})

test('an answer of many pieces -> is read whole, compressed or not', async () => {
  const text = 'a piece of text '.repeat(MIB / 4)
  expect(await textAsked((_, answer) => answer.end(text))).toBe(text)
  const compressed: RequestListener = (_, answer) => {
    answer.setHeader('Content-Encoding', 'gzip').end(gzipSync(text))
  }
  expect(await textAsked(compressed)).toBe(text)
})

test('an answer without a body -> ends at once', async () => {
  expect(await textAsked((_, answer) => answer.writeHead(204).end())).toBe('')
})

test.each([301, 302, 303, 307, 308])('a redirect with %i -> is refused', async (status) => {
  const redirecting: RequestListener = (_, answer) =>
    answer.writeHead(status, { Location: 'http://localhost/' }).end()
  await expect(textAsked(redirecting)).rejects.toThrow('redirects')
})

test('an encoding that was not asked for -> is refused', async () => {
  const encoding: RequestListener = (_, answer) =>
    answer.setHeader('Content-Encoding', 'br').end('xyz')
  await expect(textAsked(encoding)).rejects.toThrow('encoded as br')
})

test.each<[string, RequestListener]>([
  [
    'with a length',
    (_, answer) => {
      answer.writeHead(200, { 'Content-Length': 100 })
      answer.write('half', () => answer.destroy())
    },
  ],
  [
    'in chunks',
    (_, answer) => {
      answer.write('half', () => answer.destroy())
    },
  ],
  [
    'compressed',
    (_, answer) => {
      answer.setHeader('Content-Encoding', 'gzip').end(gzipSync('whole').subarray(0, 20))
    },
  ],
  [
    'that is not what it says',
    (_, answer) => {
      answer.setHeader('Content-Encoding', 'gzip').end('plain text')
    },
  ],
])('an answer cut short, %s -> its reader is told', async (_, listener) => {
  await expect(textAsked(listener)).rejects.toThrow()
})

test('nobody listens, or the name leads nowhere -> rejected', async () => {
  const url = await listen((_, answer) => answer.end())
  servers.pop()?.close()
  await expect(nodeFetch()(url, init())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(nodeFetch()('http://nowhere.invalid/', init())).rejects.toThrow()
})

test('a header that cannot be sent -> rejected', async () => {
  const headers = { Authorization: 'Bearer a\nb' }
  await expect(textAsked((_, answer) => answer.end(), { headers })).rejects.toThrow('header')
})

test('aborted before, while waiting, and in the middle of the answer -> rejected', async () => {
  const url = await listen((_, answer) => {
    answer.write('half')
  })
  const aborted = init({ signal: AbortSignal.abort() })
  await expect(nodeFetch()(url, aborted)).rejects.toThrow('abort')

  const silent = await listen(() => {})
  const waiting = new AbortController()
  const asked = nodeFetch()(silent, init({ signal: waiting.signal }))
  setTimeout(() => waiting.abort(), 10)
  await expect(asked).rejects.toThrow('abort')

  const reading = new AbortController()
  const reader = (await nodeFetch()(url, init({ signal: reading.signal }))).body?.getReader()
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('half')
  const rest = reader?.read()
  reading.abort()
  await expect(rest).rejects.toThrow('abort')
  await expect(reader?.read()).rejects.toThrow('abort')
})

test('a body that nobody reads -> waits at the server', async () => {
  let sent = 0
  const url = await listen((_, answer) => {
    const piece = Buffer.alloc(MIB)
    const write = (): void => {
      while (sent < 100) {
        sent++
        if (!answer.write(piece)) return void answer.once('drain', write)
      }
      answer.end()
    }
    write()
  })
  const response = await nodeFetch()(url, init())
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(sent).toBeLessThan(50)
  expect((await textOf(response)).length).toBe(100 * MIB)
})

test('a body that is cancelled -> the server learns of it', async () => {
  let onClose = (): void => {}
  const closed = new Promise<void>((resolve) => {
    onClose = resolve
  })
  const url = await listen((_, answer) => {
    answer.on('close', onClose)
    answer.write('half')
  })
  const { body } = await nodeFetch()(url, init())
  const reader = body?.getReader()
  const waiting = (async () => {
    await reader?.read()
    return reader?.read()
  })()
  await body?.cancel()
  await closed
  expect((await waiting)?.done).toBe(true)
})

test('answered before the request was read -> the answer counts', async () => {
  const errors: unknown[] = []
  const note = (error: unknown): void => void errors.push(error)
  process.on('uncaughtException', note)
  onTestFinished(() => void process.off('uncaughtException', note))
  const url = await listen((incoming: IncomingMessage, answer) => {
    answer.writeHead(413, { Connection: 'close' }).end('too much')
    answer.on('finish', () => setTimeout(() => incoming.socket.destroy(), 50))
  })
  const body = new Uint8Array(20 * MIB)
  const response = await nodeFetch()(url, init({ method: 'POST', body }))
  expect(response.status).toBe(413)
  expect(await textOf(response)).toBe('too much')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(errors).toEqual([])
})

test('an answer that cannot be decoded -> the server need not send the rest', async () => {
  let onClose = (): void => {}
  const closed = new Promise<void>((resolve) => {
    onClose = resolve
  })
  const undecodable: RequestListener = (_, answer) => {
    answer.on('close', onClose)
    answer.setHeader('Content-Encoding', 'gzip').write('plain text')
  }
  await expect(textAsked(undecodable)).rejects.toThrow()
  await closed
})

test('an answer in another protocol -> rejected', async () => {
  const changing: RequestListener = ({ socket }) =>
    socket.end('HTTP/1.1 101 Changing\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  await expect(textAsked(changing)).rejects.toThrow('without an answer')
})

test.each([false, true])('idle (TLS: %s) -> closed before the server does it', async (isSecure) => {
  const closed: Promise<unknown>[] = []
  const url = await listen(
    ({ socket }, answer) => {
      closed.push(once(socket, 'close'))
      answer.setHeader('Connection', 'keep-alive').setHeader('Keep-Alive', 'timeout=2').end()
    },
    isSecure ? tls : undefined,
  )
  // It only says so: the connection ends by the client alone.
  for (const server of servers) server.keepAliveTimeout = 0
  await textOf(await nodeFetch({ ca: tls.cert })(url, init()))
  expect(closed.length).toBe(1)
  await Promise.all(closed)
})
