/** Which check answers when several would fail: section 5.1. Each row sends what two neighbouring checks refuse. */
import type { WireErrorCode } from '@entidb/core'
import { MEDIA_TYPE } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import { bytesOf, type ItemMap } from '../cbor-item.ts'
import { entityOf } from '../operation.ts'
import { known } from '../pushed.ts'
import type { Rule } from '../rule.ts'
import { expectError, pathOf } from '../sync-api.ts'
import type { Header } from '../wire.ts'

interface HttpCase {
  readonly method?: string
  readonly path?: string
  readonly headers: readonly Header[]
  readonly body: Uint8Array
}

const json: Header = ['Content-Type', 'application/json']
const cbor: Header = ['Content-Type', MEDIA_TYPE]
const brotli: Header = ['Content-Encoding', 'br']
const html: Header = ['Accept', 'text/html']

const tooLarge = (bench: Bench): Uint8Array =>
  new Uint8Array(bench.bodyBytesUpTo(bench.limits.maxBodyBytes) + 1)

export const orderRules: readonly Rule[] = [
  httpOrder('route', 'not_found', 'an unknown path without a token is not_found', () => ({
    path: '/v1/nothing',
    headers: [json],
    body: bytesOf('ff'),
  })),
  httpOrder(
    'authentication',
    'unauthenticated',
    'no token and a wrong method is unauthenticated',
    () => ({
      method: 'DELETE',
      headers: [json, html],
      body: bytesOf('ff'),
    }),
  ),
  httpOrder(
    'method',
    'method_not_allowed',
    'a wrong method and media type is method_not_allowed',
    (bench) => ({
      method: 'DELETE',
      headers: [bench.api.authorization, json, html],
      body: bytesOf('ff'),
    }),
  ),
  httpOrder(
    'content-type',
    'unsupported_media_type',
    'too large a body of a wrong media type is unsupported_media_type',
    (bench) => ({
      headers: [bench.api.authorization, json],
      body: tooLarge(bench),
    }),
  ),
  httpOrder(
    'content-encoding',
    'unsupported_media_type',
    'too large a body in an unknown encoding is unsupported_media_type',
    (bench) => ({
      headers: [bench.api.authorization, cbor, brotli],
      body: tooLarge(bench),
    }),
  ),
  httpOrder(
    'accept',
    'not_acceptable',
    'too large a body without an acceptable answer is not_acceptable',
    (bench) => ({
      headers: [bench.api.authorization, cbor, html],
      body: tooLarge(bench),
    }),
  ),
  httpOrder('size', 'too_large', 'too large a body that is no CBOR is too_large', (bench) => ({
    headers: [bench.api.authorization, cbor],
    body: tooLarge(bench).fill(0xff),
  })),
  {
    id: 'order/decoding',
    section: '5.1',
    holds: 'a malformed request for a database that the token does not open is invalid_request',
    needs: ['otherDatabase'],
    check: async (bench) => {
      const dbId = bench.given('otherDatabase')
      await bench.api.refused('pull', { dbId, sinceCursor: 0, limit: 0 }, 'invalid_request')
    },
  },
  {
    id: 'order/db-id',
    section: '5.1',
    holds: 'a dbId that is no name is invalid_request, whatever major version the request names',
    check: async ({ api }) => {
      const request = { dbId: '..', deviceId: 'd', protocol: [2, 0] }
      await api.refused('handshake', request, 'invalid_request')
    },
  },
  {
    id: 'order/access',
    section: '5.1',
    holds: 'another major version in a database that the token does not open is forbidden',
    needs: ['otherDatabase'],
    check: async (bench) => {
      const dbId = bench.given('otherDatabase')
      await bench.api.refused('handshake', { dbId, deviceId: 'd', protocol: [2, 0] }, 'forbidden')
    },
  },
  {
    id: 'order/protocol',
    section: '5.1',
    holds: 'another major version from a superseded replica is unsupported_protocol',
    needs: ['extensions'],
    check: async (bench) => {
      const { superseded } = await supersededReplica(bench)
      const request = { ...superseded, protocol: [2, 0] }
      await bench.api.refused('handshake', request, 'unsupported_protocol')
    },
  },
  {
    id: 'order/device',
    section: '5.1',
    holds: 'a superseded replica that names another epoch is device_conflict',
    needs: ['extensions'],
    check: async (bench) => {
      const { superseded } = await supersededReplica(bench)
      const epoch = bench.newId()
      const pull = { ...superseded, sinceCursor: 0, epoch }
      await bench.api.refused('pull', pull, 'device_conflict')
      await bench.api.refused('push', { ...superseded, ops: [], epoch }, 'device_conflict')
    },
  },
  {
    id: 'order/epoch',
    section: '5.1',
    holds: 'a cursor past the head under another epoch is epoch_mismatch',
    check: async (bench) => {
      const { api, dbId } = bench
      known(bench.announced.epoch, 'epoch')
      const ahead = { sinceCursor: Number.MAX_SAFE_INTEGER, epoch: bench.newId() }
      await api.refused('pull', { dbId, ...ahead }, 'epoch_mismatch')
      await bench.device().refused('epoch_mismatch', [], ahead)
    },
  },
  {
    id: 'order/cursor',
    section: '5.1',
    holds: 'a push past the head whose opIds were used before is cursor_ahead',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      const op = device.put('e1')
      await device.push(op)
      const reused = { ...op, entityCbor: entityOf('e1', { v: 2 }) }
      const sinceCursor = Number.MAX_SAFE_INTEGER
      await device.refused('cursor_ahead', [reused], { sinceCursor })
    },
  },
]

function httpOrder(
  name: string,
  code: WireErrorCode,
  holds: string,
  request: (bench: Bench) => HttpCase,
): Rule {
  return {
    id: `order/${name}`,
    section: '5.1',
    holds,
    check: async (bench) => {
      const { method = 'POST', path = pathOf.push, headers, body } = request(bench)
      expectError(await bench.api.exchange({ method, path, headers, body }), code)
    },
  }
}

/** A device whose first replica lost it to a second. */
async function supersededReplica(bench: Bench): Promise<{ readonly superseded: ItemMap }> {
  const device = bench.device()
  const [first, second] = [bench.newId(), bench.newId()]
  await device.handshake({ replicaId: first })
  await device.handshake({ replicaId: second })
  return { superseded: { dbId: bench.dbId, deviceId: device.id, replicaId: first } }
}
