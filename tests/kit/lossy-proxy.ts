/**
 * A TLS proxy between devices and server that lets the server process every request and then loses
 * some of the responses: the device cannot know whether its request had an effect.
 */
import { createServer } from 'node:https'
import { Agent, request } from 'undici'
import type { Workplace } from './workplace.ts'

export interface LossyProxy {
  readonly url: string
  /** Responses that the server made and the device never got. */
  readonly lost: number
  /** Responses that arrived. */
  readonly delivered: number
  close(): Promise<void>
}

/** Loses the response of every request for which `loses(path, n)` holds; n counts from 1. */
export async function startLossyProxy(
  target: string,
  workplace: Workplace,
  port: number,
  loses: (path: string, n: number) => boolean,
): Promise<LossyProxy> {
  const dispatcher = new Agent({ connect: { ca: workplace.cert } })
  const counts = { seen: 0, lost: 0, delivered: 0 }
  const server = createServer(
    { cert: workplace.cert, key: workplace.key },
    (incoming, outgoing) => {
      const path = incoming.url ?? '/'
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on(
        'end',
        () => void forward(path, Buffer.concat(chunks)).catch(() => outgoing.destroy()),
      )

      async function forward(forwardedPath: string, body: Buffer): Promise<void> {
        const { host: _host, connection: _connection, ...headers } = incoming.headers
        const answer = await request(new URL(forwardedPath, target), {
          method: incoming.method === 'GET' ? 'GET' : 'POST',
          headers,
          ...(incoming.method === 'GET' ? {} : { body }),
          dispatcher,
        })
        if (String(answer.headers['content-type']).startsWith('text/event-stream')) {
          outgoing.writeHead(answer.statusCode, { 'content-type': 'text/event-stream' })
          outgoing.on('close', () => answer.body.destroy())
          answer.body.on('error', () => outgoing.destroy())
          answer.body.pipe(outgoing)
          return
        }
        const answered = Buffer.from(await answer.body.arrayBuffer())
        counts.seen++
        if (loses(forwardedPath, counts.seen)) {
          counts.lost++
          outgoing.socket?.destroy()
          return
        }
        counts.delivered++
        const encoding = answer.headers['content-encoding']
        outgoing.writeHead(answer.statusCode, {
          'content-type': String(answer.headers['content-type']),
          ...(typeof encoding === 'string' ? { 'content-encoding': encoding } : {}),
        })
        outgoing.end(answered)
      }
    },
  )
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', () => resolve()))
  return {
    url: `https://127.0.0.1:${port}`,
    get lost() {
      return counts.lost
    },
    get delivered() {
      return counts.delivered
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
      await dispatcher.close()
    },
  }
}
