/** Known faults of servers, each with the rules that notice it and no others. */
import { encodePullResponse, type PushRequest } from '@entidb/protocol'
import type { KnownFault } from './known-fault.test-kit.ts'
import {
  answerWith,
  errorAnswer,
  errors,
  handshakeRequests,
  handshakes,
  inTurn,
  pages,
  pullRequests,
  pulls,
  pushRequests,
  requests,
  servedPulls,
  streamLines,
  withHeaders,
} from './message-faults.test-kit.ts'
import { packedFaults } from './packed-faults.test-kit.ts'
import { pushFaults } from './push-faults.test-kit.ts'
import { snapshotFaults } from './snapshot-faults.test-kit.ts'

const hexOf = (id: Uint8Array | undefined): string => Buffer.from(id ?? []).toString('hex')

/** Is refused. */
const underNoEpoch = (message: PushRequest): PushRequest => ({
  ...message,
  epoch: new Uint8Array(16),
})

export const faults: readonly KnownFault[] = [
  ...pushFaults,
  ...packedFaults,
  ...snapshotFaults,
  {
    name: 'a group is split over pages',
    createFault: () =>
      pulls(({ limit }, page) => {
        if (limit === undefined || page.ops.length <= limit) return page
        const ops = page.ops.slice(0, limit)
        const nextCursor = ops.at(-1)?.entityVersion ?? page.nextCursor
        return { ...page, ops, nextCursor, hasMore: nextCursor < (page.head ?? 0) }
      }),
    fails: ['pull/large-group', 'pull/whole-groups'],
  },
  {
    name: 'groups keep the numbers their authors gave them',
    createFault: () =>
      pages((page) => ({
        ...page,
        ops: page.ops.map((op) => (op.tx === undefined ? op : { ...op, tx: 0 })),
      })),
    fails: ['pull/group-numbers', 'pull/group-together'],
  },
  {
    name: 'limit is ignored',
    createFault: () =>
      pullRequests(({ limit, ...message }) =>
        limit === undefined || limit > 0 ? message : { ...message, limit },
      ),
    fails: ['pull/limit', 'snapshot/limit'],
  },
  {
    name: 'a limit of 0 is served',
    createFault: () => servedPulls('at limit: out of range'),
    fails: ['http/errors', 'order/decoding', 'pull/limit-zero'],
  },
  {
    name: 'hasMore is true whenever a page is full',
    createFault: () =>
      pulls(({ limit }, page) =>
        limit === undefined ? page : { ...page, hasMore: page.ops.length >= limit },
      ),
    fails: ['pull/has-more', 'pull/large-group', 'pull/limit-max', 'snapshot/cursor'],
  },
  {
    name: 'nextCursor skips an operation when there is more',
    createFault: () =>
      pages((page) => (page.hasMore ? { ...page, nextCursor: page.nextCursor + 1 } : page)),
    fails: [
      'pull/bytes',
      'pull/collections',
      'pull/has-more',
      'pull/next-cursor',
      'pull/order',
      'pull/race',
      'pull/whole-groups',
      'snapshot/between',
      'snapshot/cursor',
      'snapshot/pages',
      'verify/match',
      'verify/mismatch',
    ],
  },
  {
    name: 'own operations are left out of pulls',
    createFault: () =>
      pulls(({ deviceId }, page) => ({
        ...page,
        ops: page.ops.filter((op) => op.deviceId !== deviceId),
      })),
    fails: [
      'pull/operations',
      'pull/repeated',
      'snapshot/again',
      'snapshot/between',
      'snapshot/pages',
    ],
  },
  {
    name: 'timestampMs is not passed on',
    createFault: () =>
      pages((page) => ({ ...page, ops: page.ops.map(({ timestampMs: _, ...op }) => op) })),
    fails: ['pull/timestamp'],
  },
  {
    name: 'schemaVersion is not passed on',
    createFault: () =>
      pages((page) => ({ ...page, ops: page.ops.map(({ schemaVersion: _, ...op }) => op) })),
    fails: ['pull/schema-version'],
  },
  {
    name: 'a cursor past the head is an empty page',
    createFault: () =>
      errors('cursor_ahead', (_, response) =>
        answerWith(response, encodePullResponse({ ops: [], nextCursor: 0, hasMore: false }), 200),
      ),
    fails: ['order/cursor', 'pull/cursor-ahead', 'snapshot/cursor-ahead'],
  },
  {
    name: 'a superseded replica may push',
    createFault: () => pushRequests(({ replicaId: _, ...message }) => message),
    fails: ['order/device', 'replica/superseded-push'],
  },
  {
    name: 'replicas have to shake hands before they push',
    createFault: () => {
      const met = new Set<string>()
      const shakes = handshakeRequests((message) => {
        met.add(hexOf(message.replicaId))
        return message
      })
      const isMet = (message: PushRequest): boolean => met.has(hexOf(message.replicaId))
      return inTurn(
        shakes,
        pushRequests((message) =>
          message.replicaId === undefined || isMet(message) ? message : underNoEpoch(message),
        ),
      )
    },
    fails: ['replica/unmet'],
  },
  {
    name: 'a deviceId belongs to the replica that pushed first',
    createFault: () => {
      const owners = new Map<string, string>()
      return pushRequests((message) => {
        const replica = hexOf(message.replicaId)
        const owner = owners.get(message.deviceId) ?? replica
        owners.set(message.deviceId, owner)
        return replica === owner ? message : underNoEpoch(message)
      })
    },
    fails: ['replica/unmet'],
  },
  {
    name: 'the epoch of a push is not checked',
    createFault: () => pushRequests(({ epoch: _, ...message }) => message),
    fails: ['epoch/push', 'order/epoch'],
  },
  {
    name: 'the epoch of a pull is not checked',
    createFault: () => pullRequests(({ epoch: _, ...message }) => message),
    fails: ['epoch/pull', 'order/epoch', 'snapshot/epoch'],
  },
  {
    name: 'epoch_mismatch comes without the history',
    createFault: () =>
      errors('epoch_mismatch', ({ details: _, ...error }, response) =>
        errorAnswer(response, error),
      ),
    fails: ['epoch/pull', 'epoch/push'],
  },
  {
    name: 'op_id_reused has the status 400',
    createFault: () =>
      errors('op_id_reused', (error, response) =>
        errorAnswer(new Response(null, { status: 400, headers: response.headers }), error),
      ),
    fails: ['handshake/last-op-id', 'push/reused', 'push/reused-details', 'push/reused-no-op'],
  },
  {
    name: 'counts do not go down',
    createFault: () => {
      const highest = new Map<string, number>()
      return handshakes((answer) => {
        const counts = Object.entries(answer.counts ?? {}).map(([name, count]) => {
          highest.set(name, Math.max(highest.get(name) ?? 0, count))
          return [name, highest.get(name) ?? 0] as const
        })
        return { ...answer, counts: Object.fromEntries(counts) }
      })
    },
    fails: ['handshake/counts'],
  },
  {
    name: 'verify always says that it matches',
    createFault: () => async (request, next) => {
      const response = await next(request)
      const isVerify = request.url.endsWith('/v1/verify') && response.status === 200
      // {match: true}
      return isVerify ? answerWith(response, Buffer.from('a1656d61746368f5', 'hex')) : response
    },
    fails: ['verify/mismatch'],
  },
  {
    name: 'any media type is taken for CBOR',
    createFault: () =>
      requests((request) =>
        request.method === 'POST'
          ? withHeaders(request, { 'content-type': 'application/cbor' })
          : request,
      ),
    fails: ['http/content-type', 'order/content-type'],
  },
  {
    name: 'Accept is ignored',
    createFault: () => requests((request) => withHeaders(request, { accept: undefined })),
    fails: ['http/accept', 'order/accept', 'stream/errors'],
  },
  {
    name: 'a token in the URL is taken',
    createFault: () =>
      requests((request) => {
        const token = new URL(request.url).searchParams.get('access_token')
        return token === null ? request : withHeaders(request, { authorization: `Bearer ${token}` })
      }),
    fails: ['http/token-in-url'],
  },
  {
    name: 'duplicate keys are accepted',
    createFault: () => servedPulls('duplicate key'),
    fails: ['bytes/duplicate-keys'],
  },
  {
    name: 'errors are JSON',
    createFault: () =>
      errors('method_not_allowed', ({ code, message }, response) =>
        answerWith(response, Buffer.from(JSON.stringify({ code, message }))),
      ),
    fails: ['http/method', 'order/method'],
  },
  {
    name: 'streams have no heartbeat',
    createFault: () => streamLines((text) => !text.startsWith(':')),
    fails: ['stream/heartbeat'],
  },
  {
    name: 'streams say the head once and never again',
    createFault: () => streamLines((text) => !text.startsWith('event')),
    fails: ['stream/two', 'stream/wake-up'],
  },
]
