/** A real server with a certificate of its own, and clients of both protocol versions. */
import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2, type Settings } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { memoryStorage } from '@entidb/core'
import { generate } from 'selfsigned'
import { staticTokens } from './auth/static-tokens.ts'
import { createSyncServer, type SyncServer, type SyncServerOptions } from './create-sync-server.ts'
import { silentLogger } from './logger.ts'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export async function createCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { cert, key }
}

export async function startServer(
  certificate: Certificate,
  options: Partial<SyncServerOptions> = {},
): Promise<SyncServer> {
  const server = await createSyncServer({
    storage: () => memoryStorage(),
    tls: certificate,
    auth: staticTokens({ token: { subject: 'ada', databases: '*', access: 'write' } }),
    createDatabases: true,
    logger: silentLogger,
    ...options,
  })
  await server.listen()
  return server
}

/** A raw HTTP/1.1 connection over TLS. */
export async function openSocket(server: SyncServer, { cert }: Certificate): Promise<TLSSocket> {
  const { hostname, port } = new URL(server.url)
  const socket = connectTls({
    host: hostname,
    port: Number(port),
    ca: cert,
    ALPNProtocols: ['http/1.1'],
  })
  await once(socket, 'secureConnect')
  return socket
}

/** What the peer sends until it closes the connection. */
export async function readToEnd(socket: TLSSocket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  if (!socket.closed) await once(socket, 'close')
  return text
}

export async function openSession(
  server: SyncServer,
  { cert }: Certificate,
  settings: Settings = {},
): Promise<ClientHttp2Session> {
  const session = connectHttp2(server.url, { ca: cert, settings })
  await once(session, 'connect')
  return session
}

export interface Http2Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Uint8Array
}

export async function requestHttp2(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array,
): Promise<Http2Answer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/v1/handshake',
    authorization: 'Bearer token',
    'content-type': 'application/cbor',
    ...headers,
  })
  stream.end(body)
  const [answered] = await once(stream, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return { status: answered[':status'], headers: answered, body: Buffer.concat(chunks) }
}

/** What every server needs, but for how it is protected. */
export function minimal(): SyncServerOptions {
  return {
    storage: () => memoryStorage(),
    auth: staticTokens({ token: { subject: 'ada', databases: '*', access: 'write' } }),
    logger: silentLogger,
  }
}

export async function readUntil(
  reader: { read(): Promise<{ done: boolean; value?: Uint8Array }> } | undefined,
  end: string,
): Promise<string> {
  let text = ''
  while (reader !== undefined && !text.includes(end)) {
    const { done, value } = await reader.read()
    if (done) break
    text += Buffer.from(value ?? []).toString()
  }
  return text
}
