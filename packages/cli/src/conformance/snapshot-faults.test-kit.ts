/** Known faults of snapshots. */
import {
  decodePullRequest,
  encodePullResponse,
  PACKED_FORM,
  type PullResponse,
} from '@entidb/protocol'
import type { Fault } from './faulty-server.test-kit.ts'
import type { KnownFault } from './known-fault.test-kit.ts'
import { answerWith, pages, pullRequests, pulls, servedPulls } from './message-faults.test-kit.ts'

/** Changes pages of snapshots that have another one behind them. */
const pagesWithMore = (change: (page: PullResponse) => PullResponse): Fault =>
  pages((page) => (page.snapshot?.after === undefined ? page : change(page)))

/** A request for a page of a snapshot that is past the head is answered with an empty last page. */
const pastTheHead: Fault = async (request, next) => {
  const body = new Uint8Array(await request.clone().arrayBuffer())
  const response = await next(request)
  if (response.status !== 422) return response
  const { snapshot: { through } = {} } = decodePullRequest(body)
  if (through === undefined) return response
  const page = { ops: [], nextCursor: through, hasMore: false, snapshot: { through } }
  return answerWith(response, encodePullResponse(page), 200)
}

export const snapshotFaults: readonly KnownFault[] = [
  {
    name: 'a page of a snapshot leaves an entity out',
    createFault: () => pagesWithMore((page) => ({ ...page, ops: page.ops.slice(1) })),
    fails: ['snapshot/pages'],
  },
  {
    name: 'a page of a snapshot has an entity of the page before',
    createFault: () => {
      const before = new Map<string, PullResponse['ops']>()
      return pulls(({ snapshot }, page) => {
        if (page.snapshot === undefined) return page
        const { after } = page.snapshot
        if (after !== undefined) before.set(after, page.ops.slice(0, 1))
        const twice = before.get(snapshot?.after ?? '') ?? []
        const ops = [...page.ops, ...twice].sort((a, b) => a.entityVersion - b.entityVersion)
        return { ...page, ops }
      })
    },
    fails: ['snapshot/pages'],
  },
  {
    name: 'tombstones are left out of snapshots',
    createFault: () =>
      pages((page) =>
        page.snapshot === undefined
          ? page
          : { ...page, ops: page.ops.filter(({ opType }) => opType === 'PUT') },
      ),
    fails: ['snapshot/pages', 'snapshot/between'],
  },
  {
    name: 'limit is ignored in snapshots',
    createFault: () =>
      pullRequests((message) => {
        const { limit: _, ...unlimited } = message
        return message.snapshot === undefined || message.packed === undefined ? message : unlimited
      }),
    fails: ['snapshot/limit'],
  },
  {
    name: 'a page of a snapshot names its newest revision as nextCursor',
    createFault: () =>
      pagesWithMore((page) => ({ ...page, nextCursor: page.ops.at(-1)?.entityVersion ?? 0 })),
    fails: ['snapshot/cursor'],
  },
  {
    name: 'the last page of a snapshot never has more behind it',
    createFault: () =>
      pages((page) =>
        page.snapshot !== undefined && page.snapshot.after === undefined
          ? { ...page, hasMore: false }
          : page,
      ),
    fails: ['snapshot/cursor'],
  },
  {
    name: 'a snapshot leads to the head of its last page',
    createFault: () =>
      pages((page) => {
        if (page.snapshot === undefined) return page
        const { head: through = 0, snapshot } = page
        const isLast = snapshot.after === undefined
        const moved = { ...page, snapshot: { ...snapshot, through } }
        return isLast ? { ...moved, nextCursor: through, hasMore: false } : moved
      }),
    fails: ['snapshot/between', 'snapshot/cursor'],
  },
  {
    name: 'a snapshot leaves out what was written since it began',
    createFault: () =>
      pages((page) => {
        const through = page.snapshot?.through ?? Number.MAX_SAFE_INTEGER
        return { ...page, ops: page.ops.filter(({ entityVersion }) => entityVersion <= through) }
      }),
    fails: ['snapshot/between'],
  },
  {
    name: 'a snapshot that was left is gone on with when another one is asked for',
    createFault: () => {
      const left = new Map<string, PullResponse['snapshot']>()
      return pulls(async (message, page, again) => {
        const { snapshot, deviceId = '' } = message
        if (snapshot === undefined) return page
        const place = snapshot.after === undefined ? left.get(deviceId) : undefined
        const answer =
          place?.after === undefined ? page : await again({ ...message, snapshot: place })
        left.set(deviceId, answer.snapshot)
        return answer
      })
    },
    fails: ['snapshot/again'],
  },
  {
    name: 'a place in a snapshot is nothing to other devices',
    createFault: () => {
      const givenTo = new Map<string, string | undefined>()
      return pulls(({ snapshot, deviceId }, page) => {
        if (page.snapshot?.after !== undefined) givenTo.set(page.snapshot.after, deviceId)
        const owner = givenTo.get(snapshot?.after ?? '')
        return owner === undefined || owner === deviceId ? page : { ...page, ops: [] }
      })
    },
    fails: ['snapshot/repeated'],
  },
  {
    name: 'whoever asks for a snapshot is sent one, packed',
    createFault: () =>
      pullRequests((message) =>
        message.snapshot === undefined ? message : { ...message, packed: PACKED_FORM },
      ),
    fails: ['snapshot/unasked'],
  },
  {
    name: 'collections are ignored in a snapshot',
    createFault: () =>
      pullRequests((message) => {
        const { collections: _, ...all } = message
        return message.snapshot === undefined ? message : all
      }),
    fails: ['snapshot/unasked'],
  },
  {
    name: 'half a place in a snapshot is enough',
    createFault: () => servedPulls('needs both'),
    fails: ['snapshot/malformed'],
  },
  {
    name: 'a snapshot begins with any cursor',
    createFault: () =>
      pullRequests((message) =>
        message.snapshot === undefined ? message : { ...message, sinceCursor: 0 },
      ),
    fails: ['snapshot/malformed'],
  },
  {
    name: 'a place in a snapshot past the head is served',
    createFault: () => pastTheHead,
    fails: ['snapshot/cursor-ahead'],
  },
  {
    name: 'the epoch of a snapshot is not checked',
    createFault: () =>
      pullRequests((message) => {
        const { epoch: _, ...anyEpoch } = message
        return message.snapshot === undefined ? message : anyEpoch
      }),
    fails: ['snapshot/epoch'],
  },
]
