/** Pulls that look at everything the server has: what is no whole answer must not be taken for one. */
import {
  decodePullRequest,
  encodePullResponse,
  encodeVerifyResponse,
  PULL_PATH,
  type PullRequest,
  type PullResponse,
  VERIFY_PATH,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { cborAnswer, ModelServer } from '../test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice } from '../test-kit/pair.test-kit.ts'

type MakePage = (request: PullRequest) => PullResponse

const MISLEADING: readonly (readonly [string, MakePage])[] = [
  [
    'say that there is more, and lead nowhere',
    ({ sinceCursor }) => ({ ops: [], nextCursor: sinceCursor, hasMore: true }),
  ],
  [
    'say that there is more, and lead on by one',
    ({ sinceCursor }) => ({ ops: [], nextCursor: sinceCursor + 1, hasMore: true }),
  ],
  [
    'end before what was pulled already',
    ({ sinceCursor }) => ({ ops: [], nextCursor: sinceCursor, hasMore: false }),
  ],
]

describe.each(MISLEADING)('pages that %s', (_, pageFor) => {
  /** Three entities that the server has, of which `n1` is evicted; pulls from the beginning are answered by `pageFor`. */
  async function misled() {
    const server = new ModelServer()
    const device = await openDevice(server)
    for (const id of ['n1', 'n2', 'n3']) await device.addToken(id, 'x')
    await device.sync.sync()
    const { cursor } = device.sync.status
    let begun = false
    server.fault = ({ path, body }) => {
      const request = path === PULL_PATH ? decodePullRequest(body) : undefined
      begun ||= request?.sinceCursor === 0
      if (request !== undefined && begun && request.sinceCursor < cursor) {
        return cborAnswer(encodePullResponse(pageFor(request)))
      }
      if (path !== VERIFY_PATH) return 'pass'
      const collections = { notes: new Uint8Array(32) }
      return cborAnswer(encodeVerifyResponse({ match: false, collections }))
    }
    const heal = (): void => {
      server.fault = () => 'pass'
    }
    return { server, device, heal }
  }

  test('verify with repair -> invalid_response, and nothing is removed', async () => {
    const { server, device, heal } = await misled()
    const verified = device.sync.verify({ repair: true })
    await expect(verified).rejects.toMatchObject({ code: 'invalid_response' })
    expect(server.requests.length).toBeLessThan(300)
    await expectConverged(server, device)
    heal()
    expect((await device.sync.verify()).outcome).toBe('converged')
  })

  test('fetch -> invalid_response; the next one brings what was asked for', async () => {
    const { server, device, heal } = await misled()
    await device.sync.evict('notes', ['n1'])
    const fetched = device.sync.fetch('notes', ['n1'])
    await expect(fetched).rejects.toMatchObject({ code: 'invalid_response' })
    expect(server.requests.length).toBeLessThan(300)
    heal()
    await device.sync.fetch('notes', ['n1'])
    await expectConverged(server, device)
  })
})
