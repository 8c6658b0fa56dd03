/** Paths, methods, tokens and media types: section 5. */
import { MEDIA_TYPE } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import { encodeItem } from '../cbor-item.ts'
import { expectEqual, expectThat, forEachCase } from '../expectations.ts'
import type { Rule } from '../rule.ts'
import { endpoints, expectError, pathOf } from '../sync-api.ts'
import type { Header, WireAnswer } from '../wire.ts'

const cbor: Header = ['Content-Type', MEDIA_TYPE]

export function pullBody({ dbId, announced }: Bench): Uint8Array {
  return encodeItem({ dbId, sinceCursor: announced.serverCursor })
}

/** A pull at the head with these headers only. */
async function postPull(
  bench: Bench,
  headers: readonly Header[],
  path: string = pathOf.pull,
): Promise<WireAnswer> {
  return bench.api.exchange({ method: 'POST', path, headers, body: pullBody(bench) })
}

export const httpRules: readonly Rule[] = [
  {
    id: 'http/not-found',
    section: '5',
    holds:
      'a path that is none of the protocol is not_found: they are case-sensitive and end without a slash',
    check: async (bench) => {
      const paths = [
        '/v1',
        '/v1/nothing',
        '/v2/pull',
        '/v1/pull/',
        '/v1/pull/x',
        '/V1/PULL',
        '/v1/Pull',
      ]
      await forEachCase(Object.fromEntries(paths.map((path) => [path, path])), async (path) => {
        expectError(await postPull(bench, [bench.api.authorization, cbor], path), 'not_found')
      })
    },
  },
  {
    id: 'http/query',
    section: '5',
    holds: 'a query on a POST is ignored',
    check: async (bench) => {
      const { api } = bench
      const path = `${pathOf.pull}?dbId=other&limit=0`
      api.read('pull', await postPull(bench, [api.authorization, cbor], path))
    },
  },
  {
    id: 'http/method',
    section: '5.2',
    holds: 'another method than the endpoint has is method_not_allowed, with the header Allow',
    check: async (bench) => {
      const { api, dbId } = bench
      const posts = endpoints.map((endpoint) => [pathOf[endpoint], 'POST'] as const)
      const cases = new Map<string, string>([...posts, [`/v1/stream?dbId=${dbId}`, 'GET']])
      await forEachCase(Object.fromEntries(cases), async (allowed, path) => {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
          if (method === allowed) continue
          const headers = [api.authorization, cbor]
          const body = method === 'GET' ? {} : { body: pullBody(bench) }
          const answer = await api.exchange({ method, path, headers, ...body })
          expectError(answer, 'method_not_allowed')
          const allow = answer.headers.get('allow') ?? ''
          expectThat(allow.includes(allowed), `Allow: ${allowed}`, allow)
        }
      })
    },
  },
  {
    id: 'http/token',
    section: '5',
    holds:
      'no token, a wrong one, two or one in another scheme is unauthenticated, with WWW-Authenticate: Bearer',
    check: async (bench) => {
      const { api } = bench
      const right = `Bearer ${api.token}`
      const cases: Readonly<Record<string, readonly string[]>> = {
        'no header': [],
        'an empty header': [''],
        'the scheme only': ['Bearer'],
        'a wrong token': ['Bearer wrong'],
        'a letter more': [`${right}x`],
        'a letter less': [right.slice(0, -1)],
        'no scheme': [api.token],
        'another scheme': [`Basic ${api.token}`],
        'two tokens in one header': [`${right}, ${right}`],
        'two headers': [right, right],
        'a token of 4,000 letters': [`Bearer ${'x'.repeat(4_000)}`],
      }
      await forEachCase(cases, async (values) => {
        const tokens = values.map((value) => ['Authorization', value] as const)
        const answer = await postPull(bench, [cbor, ...tokens])
        expectError(answer, 'unauthenticated')
        const scheme = answer.headers.get('www-authenticate')?.split(' ')[0] ?? 'none'
        expectEqual('scheme of WWW-Authenticate', scheme.toLowerCase(), 'bearer')
      })
    },
  },
  {
    id: 'http/token-in-url',
    section: '5',
    holds: 'a token in the URL opens nothing: it is unauthenticated',
    check: async (bench) => {
      const { api, dbId } = bench
      const query = `access_token=${encodeURIComponent(api.token)}&token=${encodeURIComponent(api.token)}`
      expectError(await postPull(bench, [cbor], `${pathOf.pull}?${query}`), 'unauthenticated')
      const stream = { method: 'GET', path: `/v1/stream?dbId=${dbId}&${query}`, headers: [] }
      expectError(await api.exchange(stream), 'unauthenticated')
    },
  },
  {
    id: 'http/content-type',
    section: '5',
    holds: 'a Content-Type other than application/cbor, or none, is unsupported_media_type',
    check: async (bench) => {
      const wrong = [
        'application/json',
        'text/plain',
        'application/cbor-seq',
        'application/*',
        'cbor',
        '',
      ]
      await forEachCase({ none: undefined, ...named(wrong) }, async (value) => {
        const types = value === undefined ? [] : [['Content-Type', value] as const]
        const answer = await postPull(bench, [bench.api.authorization, ...types])
        expectError(answer, 'unsupported_media_type')
      })
    },
  },
  {
    id: 'http/content-type-parameters',
    section: '5',
    holds: 'case and parameters of a Content-Type are ignored',
    check: async (bench) => {
      const right = ['application/cbor; charset=utf-8', 'Application/CBOR', 'application/cbor;v=1']
      await forEachCase(named(right), async (value) => {
        await bench.api.call('pull', pullBody(bench), ['Content-Type', value])
      })
    },
  },
  {
    id: 'http/accept',
    section: '5',
    holds:
      'an Accept that excludes application/cbor is not_acceptable, and its error is CBOR all the same',
    check: async (bench) => {
      const wrong = [
        'text/html',
        'application/json',
        'text/*',
        'application/cbor;q=0',
        'application/cbor;q=0, */*',
      ]
      await forEachCase(named(wrong), async (value) => {
        await bench.api.refused('pull', pullBody(bench), 'not_acceptable', ['Accept', value])
      })
    },
  },
  {
    id: 'http/accept-ranges',
    section: '5',
    holds: 'an absent Accept, or one with a range that covers application/cbor, is answered',
    check: async (bench) => {
      const right = [
        '*/*',
        'application/*',
        MEDIA_TYPE,
        'Application/CBOR',
        'text/html, application/cbor;q=0.1',
      ]
      await bench.api.call('pull', pullBody(bench))
      await forEachCase(named([...right, 'text/html;q=0.9, */*;q=0.1']), async (value) => {
        await bench.api.call('pull', pullBody(bench), ['Accept', value])
      })
    },
  },
  {
    id: 'http/answer-type',
    section: '5',
    holds: 'answers and errors have the Content-Type application/cbor',
    check: async (bench) => {
      const { api, dbId } = bench
      const answers = {
        'an answer': await api.post('pull', pullBody(bench)),
        'a bad request': await api.post('pull', { dbId, sinceCursor: 0, limit: 0 }),
        'no path': await api.exchange({ method: 'GET', path: '/v1/nothing', headers: [] }),
        'no token': await api.exchange({ method: 'POST', path: pathOf.pull, headers: [cbor] }),
      }
      await forEachCase(answers, async ({ headers }) => {
        const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
        expectEqual('Content-Type', type, MEDIA_TYPE)
      })
    },
  },
  {
    id: 'http/errors',
    section: '5.2',
    holds:
      'an error has a message for people, without the token; one about a field of a message names the field',
    check: async (bench) => {
      const { api, dbId } = bench
      const device = bench.device()
      const [one, two] = [device.put('e1'), { ...device.put('e2'), entityVersion: -1 }]
      const errors = {
        limit: await api.refused('pull', { dbId, sinceCursor: 0, limit: 0 }, 'invalid_request'),
        'ops[1].entityVersion': await device.refused('invalid_request', [one, two]),
      }
      await forEachCase(errors, async ({ message }, field) => {
        expectThat(message.includes(field), `a message that names ${field}`, message)
        expectThat(!message.includes(api.token), 'a message without the token', message)
      })
    },
  },
]

function named(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => [JSON.stringify(value), value]))
}
