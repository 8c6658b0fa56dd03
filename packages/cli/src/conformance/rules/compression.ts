/** Sizes and compression of bodies: section 5. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { MEDIA_TYPE } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import { encodeItem } from '../cbor-item.ts'
import { expectEqual, expectThat, forEachCase } from '../expectations.ts'
import type { Rule } from '../rule.ts'
import { expectError, pathOf } from '../sync-api.ts'
import { pullBody } from './http.ts'

const KIBIBYTE = 1024

/** An empty push that is `size` bytes long: an unknown key fills it up. */
function pushOf(bench: Bench, size: number): Uint8Array {
  const request = bench.device().request([])
  const around = encodeItem({ ...request, zz: new Uint8Array(size) }).length - size
  return encodeItem({ ...request, zz: new Uint8Array(size - around) })
}

export const compressionRules: readonly Rule[] = [
  {
    id: 'body/at-limit',
    section: '5.1',
    holds: 'a body of exactly maxBodyBytes is read',
    check: async (bench) => {
      const size = bench.bodyBytesUpTo(bench.limits.maxBodyBytes)
      await bench.api.call('push', pushOf(bench, size))
    },
  },
  {
    id: 'body/beyond-limit',
    section: '5.1',
    holds: 'a body of more than maxBodyBytes is too_large, with the limit in details',
    check: async (bench) => {
      const limit = bench.bodyBytesUpTo(bench.limits.maxBodyBytes)
      const error = await bench.api.refused('push', pushOf(bench, limit + 1), 'too_large')
      expectEqual('details.limit', error.details?.limit, limit)
    },
  },
  {
    id: 'body/announced',
    section: '5.1',
    holds: 'a body whose Content-Length is beyond maxBodyBytes is too_large before it is sent',
    check: async (bench) => {
      const { api, limits } = bench
      const length = String(limits.maxBodyBytes + 2 ** 30)
      const headers = [
        api.authorization,
        ['Content-Type', MEDIA_TYPE],
        ['Content-Length', length],
      ] as const
      // Nothing is sent but the head; a server that waits for the body does not answer in time.
      const body = endless(0)
      const answer = await api.exchange({ method: 'POST', path: pathOf.push, headers, body })
      expectError(answer, 'too_large')
    },
  },
  {
    id: 'body/chunked',
    section: '5.1',
    holds: 'a body in chunks of any size is read; one that does not end is too_large',
    check: async (bench) => {
      const { api } = bench
      const limit = bench.bodyBytesUpTo(bench.limits.maxBodyBytes)
      const headers = [api.authorization, ['Content-Type', MEDIA_TYPE]] as const
      const bytes = pullBody(bench)
      const pieces = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))
      const post = { method: 'POST', headers }
      api.read('pull', await api.exchange({ ...post, path: pathOf.pull, body: pieces }))
      const body = endless(Math.ceil(limit / KIBIBYTE) + 1_024)
      expectError(await api.exchange({ ...post, path: pathOf.push, body }), 'too_large')
    },
  },
  {
    id: 'gzip/request',
    section: '5',
    holds: 'a body with Content-Encoding: gzip is inflated; identity is none',
    check: async (bench) => {
      const body = pullBody(bench)
      await forEachCase({ gzip: 'gzip', GZIP: 'GZIP' }, async (encoding) => {
        await bench.api.call('pull', new Uint8Array(gzipSync(body)), ['Content-Encoding', encoding])
      })
      await bench.api.call('pull', body, ['Content-Encoding', 'identity'])
    },
  },
  {
    id: 'gzip/broken',
    section: '5',
    holds: 'a body that is said to be gzip and does not inflate is invalid_request',
    check: async (bench) => {
      const whole = new Uint8Array(gzipSync(pullBody(bench)))
      const text = new Uint8Array(Buffer.from('not gzip'))
      const cases = { 'no bytes': new Uint8Array(0), text, 'a cut one': whole.subarray(0, -9) }
      await forEachCase({ ...cases, 'its head': whole.subarray(0, 12) }, async (body) => {
        await bench.api.refused('pull', body, 'invalid_request', ['Content-Encoding', 'gzip'])
      })
    },
  },
  {
    id: 'gzip/limit',
    section: '5',
    holds: 'maxBodyBytes applies to the inflated size: a body that inflates to more is too_large',
    check: async (bench) => {
      const limit = bench.bodyBytesUpTo(bench.limits.maxBodyBytes)
      const encoding = ['Content-Encoding', 'gzip'] as const
      const fits = new Uint8Array(gzipSync(pushOf(bench, limit)))
      await bench.api.call('push', fits, encoding)
      await forEachCase(
        { 'a byte more': limit + 1, 'four times as much': 4 * limit },
        async (size) => {
          const body = new Uint8Array(gzipSync(new Uint8Array(size)))
          await bench.api.refused('push', body, 'too_large', encoding)
        },
      )
    },
  },
  {
    id: 'gzip/other-encodings',
    section: '5',
    holds: 'a Content-Encoding other than gzip, a list too, is unsupported_media_type',
    check: async (bench) => {
      const wrong = ['br', 'deflate', 'zstd', 'compress', 'gzip, gzip', 'br, gzip', 'nonsense']
      await forEachCase(Object.fromEntries(wrong.map((name) => [name, name])), async (encoding) => {
        const header = ['Content-Encoding', encoding] as const
        await bench.api.refused('pull', pullBody(bench), 'unsupported_media_type', header)
      })
    },
  },
  {
    id: 'gzip/answer',
    section: '5',
    holds:
      'an answer is gzip only if Accept-Encoding has gzip in it, and inflates to the same message',
    check: async (bench) => {
      const device = bench.device()
      const sinceCursor = await device.head()
      await device.push(...['e1', 'e2'].map((id) => device.put(id, { text: 'milk'.repeat(800) })))
      const pull = { dbId: bench.dbId, sinceCursor }
      const plain = await bench.api.post('pull', pull)
      expectEqual('Content-Encoding unasked', plain.headers.get('content-encoding'), undefined)
      const others = {
        br: 'br, zstd, deflate',
        identity: 'identity',
        'gzip;q=0': 'gzip;q=0',
        '*;q=0': '*;q=0',
      }
      await forEachCase(others, async (value) => {
        const answer = await bench.api.post('pull', pull, ['Accept-Encoding', value])
        const encoding = answer.headers.get('content-encoding')
        expectThat(encoding === undefined, 'an answer that is not compressed', encoding)
      })
      const asked = await bench.api.post('pull', pull, ['Accept-Encoding', 'gzip'])
      const isGzip = asked.headers.get('content-encoding') === 'gzip'
      const body = isGzip ? new Uint8Array(gunzipSync(asked.body)) : asked.body
      expectEqual('the body that was asked for as gzip', body, plain.body)
    },
  },
]

/** Zeros, a kibibyte each time. */
function* endless(pieces: number): Generator<Uint8Array> {
  for (let i = 0; i < pieces; i++) yield new Uint8Array(KIBIBYTE)
}
