/** Known faults of packed pages. */
import {
  decodePullRequest,
  decodePullResponse,
  encodePackedPullPage,
  encodeSyncOperation,
  PACKED_FORM,
  PULL_PATH,
  type PullResponse,
  readsPacked,
} from '@entidb/protocol'
import type { Fault } from './faulty-server.test-kit.ts'
import type { KnownFault } from './known-fault.test-kit.ts'
import { answerWith, pullRequests, servedPulls, withHeaders } from './message-faults.test-kit.ts'

/** Pages that were asked for packed are packed again after `change`; with `unasked` all are. */
function packedPages(
  change: (page: PullResponse) => PullResponse,
  { unasked = false } = {},
): Fault {
  return async (request, next) => {
    const body = new Uint8Array(await request.clone().arrayBuffer())
    const response = await next(withHeaders(request, { 'accept-encoding': undefined }))
    const isPage = new URL(request.url).pathname === PULL_PATH && response.status === 200
    if (!isPage || !(unasked || asksForPacked(body))) return response
    const page = change(decodePullResponse(new Uint8Array(await response.arrayBuffer())))
    const ops = page.ops.map(encodeSyncOperation)
    return answerWith(response, encodePackedPullPage({ ...page, ops }))
  }
}

function asksForPacked(body: Uint8Array): boolean {
  try {
    return readsPacked(decodePullRequest(body))
  } catch {
    // A body that the server inflates, or one with a key that only it takes.
    return false
  }
}

export const packedFaults: readonly KnownFault[] = [
  {
    name: 'packed pages leave schemaVersion out',
    createFault: () =>
      packedPages((page) => ({ ...page, ops: page.ops.map(({ schemaVersion: _, ...op }) => op) })),
    fails: ['packed/same', 'snapshot/pages'],
  },
  {
    name: 'pages are packed for everyone',
    createFault: () => packedPages((page) => page, { unasked: true }),
    fails: ['packed/unasked'],
  },
  {
    name: 'pages are packed for who reads another form',
    createFault: () =>
      pullRequests((message) =>
        message.packed === undefined ? message : { ...message, packed: PACKED_FORM },
      ),
    fails: ['packed/unasked', 'snapshot/unasked'],
  },
  {
    name: 'any value of packed asks for packed pages',
    createFault: () => servedPulls('at packed'),
    fails: ['packed/value'],
  },
]
