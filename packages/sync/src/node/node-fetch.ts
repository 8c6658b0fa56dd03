/**
 * A `fetch` over Node's own `http` and `https`, as far as sync asks for one. The platform's compiles a parser first, and
 * has streams of the web between the socket and the reader: docs/decisions/0021-a-fetch-for-node.md.
 */
import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent, request as requestSecurely } from 'node:https'
import { createGunzip } from 'node:zlib'
import { assertOptions } from '@entidb/core'
import type { FetchInit, FetchLike, FetchResponse } from '../environment.ts'
import { IncomingBody } from './incoming-body.ts'

/** Whom to trust, and as whom to connect: as for `https.Agent`. */
export type NodeFetchOptions = Pick<AgentOptions, 'ca' | 'cert' | 'key' | 'passphrase'>

const OPTION_NAMES: readonly (keyof NodeFetchOptions)[] = ['ca', 'cert', 'key', 'passphrase']

/** A connection that nobody used for so long is closed: sooner than by most servers, which close it under a request. */
const IDLE_MS = 4_000

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * For `fetch` of the configuration, in Node: quicker than the platform's, and takes a private CA. Connections are kept
 * open for 4 seconds, or less if the server says so, and do not keep the process alive. Rejects as `fetch` does: without
 * an answer, and for a redirect.
 *
 * @example
 * const ca = readFileSync('ca.pem')
 * new EntiDBSync({ db, config: { serverUrl, dbId, authTokenProvider, fetch: nodeFetch({ ca }) } })
 */
export function nodeFetch(options: NodeFetchOptions = {}): FetchLike {
  assertOptions('The options of nodeFetch', options, OPTION_NAMES)
  const agent = new HttpAgent({ keepAlive: true, timeout: IDLE_MS })
  const secureAgent = new HttpsAgent({ ...options, keepAlive: true, timeout: IDLE_MS })
  return (url, init) => {
    const isSecure = new URL(url).protocol === 'https:'
    return isSecure
      ? answerOf((settings) => requestSecurely(url, { ...settings, agent: secureAgent }), init)
      : answerOf((settings) => request(url, { ...settings, agent }), init)
  }
}

function answerOf(
  begin: (settings: RequestOptions) => ReturnType<typeof request>,
  { method, headers, body, signal }: FetchInit,
): Promise<FetchResponse> {
  return new Promise((resolve, reject) => {
    const sent = begin({ method, headers, signal })
    const unanswered = (): void => reject(new TypeError('The connection ended without an answer'))
    sent.once('response', (incoming) => {
      sent.off('close', unanswered)
      try {
        resolve(responseOf(incoming))
      } catch (error) {
        incoming.destroy()
        reject(error)
      }
    })
    // Also after the answer: of a request that the server did not read to its end.
    sent.on('error', reject)
    // Without an error where the server changes to another protocol.
    sent.once('close', unanswered)
    sent.end(body)
  })
}

function responseOf(incoming: IncomingMessage): FetchResponse {
  const { statusCode: status = 0, headers } = incoming
  if (REDIRECTS.has(status)) throw new TypeError(`The server redirects (status ${status})`)
  return {
    status,
    headers: {
      get: (name) => {
        const value = headers[name.toLowerCase()] ?? null
        return Array.isArray(value) ? value.join(', ') : value
      },
    },
    body: bodyOf(incoming),
  }
}

function bodyOf(incoming: IncomingMessage): IncomingBody {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  switch (encoding) {
    case 'identity':
      return new IncomingBody(incoming, incoming)
    case 'gzip':
      return new IncomingBody(incoming, incoming.pipe(createGunzip()))
    default:
      throw new TypeError(`The answer is encoded as ${encoding}, which nobody asked for`)
  }
}
