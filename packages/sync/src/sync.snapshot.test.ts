/** A first sync that goes through the entities by key: what may happen between two of its pages. */
import {
  decodePullRequest,
  decodePullResponse,
  encodePullRequest,
  encodePullResponse,
  MEDIA_TYPE,
  PULL_PATH,
  type PullRequest,
  type PullResponse,
} from '@entidb/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { FetchLike, FetchResponse } from './environment.ts'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import type { Fault } from './test-kit/model-server.test-kit.ts'
import { RealServer } from './test-kit/real-server.test-kit.ts'

const IDS = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']
const PAGE_OPS = 2
const PAGES = 4
/** Some 100 notes, as they are sent. */
const SHORT_BYTES = 3_000

let server: RealServer
let open: Device[]

beforeEach(() => {
  server = new RealServer({ maxOpsPerPush: 10, maxPullOps: PAGE_OPS })
  open = []
})

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  await server.close()
})

async function device(
  config: Partial<SyncConfig> = {},
  fetch: FetchLike = server.fetch,
): Promise<Device> {
  const opened = await Device.open({
    fetch,
    config: { conflictResolver: unionResolver, ...config },
  })
  open.push(opened)
  return opened
}

/** A device that wrote seven notes, in another order than that of their ids, and has them on the server. */
async function filled(): Promise<Device> {
  const a = await device()
  for (const id of ['n4', 'n1', 'n7', 'n2', 'n6', 'n3', 'n5']) await a.addToken(id, 'a')
  await syncAll(a)
  return a
}

/** Tells every pull before it is answered; what the answer of `run` is happens to it. */
function onPulls(run: (pull: PullRequest, count: number) => Fault | Promise<Fault>): void {
  let count = 0
  server.fault = ({ path, body }) => {
    if (path !== PULL_PATH) return 'pass'
    const pull = decodePullRequest(body)
    return run(pull, ++count)
  }
}

async function expectSame(...devices: readonly Device[]): Promise<void> {
  const live = new Map([...(await server.live())].sort(([a], [b]) => (a < b ? -1 : 1)))
  for (const each of devices) {
    expect(await each.contents()).toEqual(live)
    expect(each.sync.status).toMatchObject({ pending: 0, held: 0 })
    expect(await each.sync.verify()).toMatchObject({ outcome: 'converged' })
  }
}

function resyncsOf({ sync }: Device): readonly string[] {
  const told: string[] = []
  sync.on('resync', ({ phase, reason }) => told.push(`${phase} ${reason}`))
  return told
}

async function bytesOf(response: FetchResponse): Promise<Uint8Array> {
  // The real server's, which is a platform's response.
  return new Uint8Array(await (response as Response).arrayBuffer())
}

/** Answers of pulls as `change` makes them. */
function tampered(change: (page: PullResponse, pull: PullRequest) => PullResponse): FetchLike {
  return async (url, init) => {
    const response = await server.fetch(url, init)
    const { pathname } = new URL(url)
    if (pathname !== PULL_PATH) return response
    const page = decodePullResponse(await bytesOf(response))
    const body = encodePullResponse(change(page, decodePullRequest(init.body ?? new Uint8Array())))
    return new Response(body as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': MEDIA_TYPE },
    })
  }
}

describe('first sync', () => {
  test('several pages -> each entity once, then pulls go by cursor; the next device that is behind too', async () => {
    const a = await filled()
    const b = await device()
    const asked: PullRequest[] = []
    onPulls((pull): Fault => {
      asked.push(pull)
      return 'pass'
    })
    const resyncs = resyncsOf(b)
    expect(await b.sync.sync()).toMatchObject({ pulled: IDS.length })
    expect(asked.map(({ sinceCursor }) => sinceCursor)).toEqual([0, 0, 0, 0])
    expect(asked.map(({ snapshot }) => snapshot?.after)).toEqual([
      undefined,
      'notes/n2',
      'notes/n4',
      'notes/n6',
    ])
    await a.addToken('n1', 'later')
    await syncAll(a, b)
    expect(asked.slice(PAGES).every(({ snapshot }) => snapshot === undefined)).toBe(true)
    expect(resyncs).toEqual([])
    await expectSame(a, b)
  })

  test('the first page is asked for as a small one -> pages after it are not', async () => {
    await filled()
    const b = await device()
    const limits: (number | undefined)[] = []
    onPulls(({ limit }): Fault => {
      limits.push(limit)
      return 'pass'
    })
    await b.sync.sync()
    expect(limits).toEqual([500, ...Array(PAGES - 1).fill(undefined)])
    await b.sync.sync()
    expect(limits.at(-1)).toBeUndefined()
  })

  test('only short answers get through -> pages become small enough, and what came stays', async () => {
    await server.close()
    server = new RealServer({ maxPullOps: 5_000 })
    const a = await device()
    const ids = Array.from({ length: 3_000 }, (_, i) => `n${String(i).padStart(4, '0')}`)
    await a.db.collection('notes').putMany(ids.map((id) => ({ id, tokens: [id] })))
    await syncAll(a)
    const b = await device({}, async (url, init) => {
      const response = await server.fetch(url, init)
      const body = await bytesOf(response)
      if (body.length > SHORT_BYTES) throw new TypeError('the connection was cut')
      return new Response(body as Uint8Array<ArrayBuffer>, response as Response)
    })
    const counts: number[] = []
    for (let isDone = false; !isDone && counts.length < 20; ) {
      isDone = await b.sync.sync().then(
        () => true,
        () => false,
      )
      counts.push(await b.db.collection('notes').count({}))
    }
    expect(counts).toEqual([...counts].sort((one, other) => one - other))
    expect(counts.at(-1)).toBe(ids.length)
    await expectSame(b)
  })

  test('progress -> of all entities, also where it goes on after a failure', async () => {
    await filled()
    const b = await device()
    const shown: string[] = []
    b.sync.on('status', ({ progress }) => {
      if (progress !== null) shown.push(`${progress.done}/${progress.total}`)
    })
    onPulls((_, count): Fault => (count >= 3 ? 'refuse' : 'pass'))
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await b.sync.sync()
    expect([...new Set(shown)]).toEqual(['0/7', '2/7', '4/7', '6/7', '7/7'])
  })

  test('progress in another process -> goes on where the snapshot was', async () => {
    await filled()
    const b = await device()
    onPulls((_, count): Fault => (count >= 3 ? 'refuse' : 'pass'))
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    b.restart()
    const shown: number[] = []
    b.sync.on('status', ({ progress }) => {
      if (progress !== null) shown.push(progress.done)
    })
    await b.sync.sync()
    expect([...new Set(shown)]).toEqual([4, 6, 7])
    await expectSame(b)
  })

  test('written and deleted between two pages, before and behind the place -> all of it arrives', async () => {
    for (const page of [2, 3, 4]) {
      const a = await filled()
      const b = await device()
      onPulls(async (_, count): Promise<Fault> => {
        if (count !== page) return 'pass'
        server.fault = () => 'pass'
        for (const id of ['n0', 'n1', 'n6', 'n9']) await a.addToken(id, 'meanwhile')
        for (const id of ['n2', 'n5']) await a.db.collection('notes').delete(id)
        await a.sync.sync()
        return 'pass'
      })
      await b.sync.sync()
      await expectSame(a, b)
      await Promise.all(open.splice(0).map((each) => each.close()))
      await server.close()
      server = new RealServer({ maxOpsPerPush: 10, maxPullOps: PAGE_OPS })
    }
  })

  test('edited here between two pages -> a conflict like any other, nothing lost', async () => {
    const a = await filled()
    const b = await device()
    for (const id of ['n1', 'n6', 'n8']) await b.addToken(id, 'before')
    onPulls(async (_, count): Promise<Fault> => {
      if (count === 3) for (const id of ['n2', 'n5', 'n7']) await b.addToken(id, 'meanwhile')
      return 'pass'
    })
    await syncAll(b, a, b)
    expect(await a.tokens('n1')).toEqual(['a', 'before'])
    expect(await a.tokens('n2')).toEqual(['a', 'meanwhile'])
    expect(await a.tokens('n7')).toEqual(['a', 'meanwhile'])
    expect(await a.tokens('n8')).toEqual(['before'])
    await expectSame(a, b)
  })

  test.each(['before', 'after'] as const)(
    'crash %s each commit -> goes on where it was, without beginning again',
    async (point) => {
      await filled()
      for (let at = 0; ; at++) {
        const b = await device()
        b.engine.crashAt = at
        b.engine.crashPoint = point
        const { engine } = b
        const asked: PullRequest[] = []
        onPulls((pull): Fault => {
          asked.push(pull)
          return 'pass'
        })
        await b.syncThrough()
        b.engine.crashAt = undefined
        const begun = asked.filter(({ sinceCursor }) => sinceCursor === 0)
        expect(begun.every(({ snapshot }) => snapshot !== undefined)).toBe(true)
        expect(asked.length).toBeLessThanOrEqual(PAGES + 2)
        await expectSame(b)
        if (engine.transactions <= at) return
      }
    },
  )

  test.each(['refuse', 'lose', 'twice'] as const)(
    'each page: %s -> nothing is missing',
    async (fault) => {
      await filled()
      for (let page = 1; page <= PAGES; page++) {
        const b = await device()
        onPulls((_, count): Fault => (count === page ? fault : 'pass'))
        await b.syncThrough()
        await expectSame(b)
      }
    },
  )

  test('the server restarts between two pages -> goes on', async () => {
    const a = await filled()
    const b = await device()
    onPulls(async (_, count): Promise<Fault> => {
      if (count === 3) {
        await server.restart()
        await a.addToken('n1', 'new epoch')
        server.fault = () => 'pass'
        await a.sync.sync()
      }
      return 'pass'
    })
    const resyncs = resyncsOf(b)
    await syncAll(b)
    expect(resyncs).toEqual([])
    await expectSame(a, b)
  })

  test('deletes behind its beginning are purged meanwhile -> begins again, and keeps nothing that is gone', async () => {
    const a = await filled()
    const b = await device()
    onPulls((_, count): Fault => (count > 2 ? 'refuse' : 'pass'))
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    expect(await b.tokens('n1')).toEqual(['a'])
    await a.db.collection('notes').delete('n1')
    await syncAll(a)
    server.passRetention()
    await syncAll(a)
    expect(await server.purge()).toBe(1)
    const resyncs = resyncsOf(b)
    await b.sync.sync()
    expect(resyncs).toEqual(['began cursor_expired', 'ended cursor_expired'])
    await expectSame(a, b)
  })

  test('the server does not go on with it -> begins again by cursor, and keeps nothing that is gone', async () => {
    const a = await filled()
    let pages = 0
    const b = await device({}, async (url, init) => {
      const isPull = new URL(url).pathname === PULL_PATH
      if (!isPull || ++pages <= 2) return server.fetch(url, init)
      if (pages === 3) {
        await a.db.collection('notes').delete('n1')
        await a.sync.sync()
      }
      const { snapshot: _, ...pull } = decodePullRequest(init.body ?? new Uint8Array())
      return server.fetch(url, { ...init, body: Uint8Array.from(encodePullRequest(pull)) })
    })
    const resyncs = resyncsOf(b)
    await b.sync.sync()
    expect(resyncs).toEqual(['began known_revisions', 'ended known_revisions'])
    expect(await b.tokens('n1')).toEqual([])
    await expectSame(a, b)
  })

  test.each<[string, (page: PullResponse, pull: PullRequest) => PullResponse]>([
    [
      'a page of another snapshot',
      (page, { snapshot }) =>
        page.snapshot === undefined || snapshot?.through === undefined
          ? page
          : { ...page, snapshot: { ...page.snapshot, through: page.snapshot.through - 1 } },
    ],
    [
      'a page that does not lead on',
      (page, { snapshot }) =>
        snapshot?.after === undefined || snapshot.through === undefined
          ? page
          : { ...page, snapshot: { through: snapshot.through, after: snapshot.after } },
    ],
    [
      'a cursor before the last page',
      (page) => (page.snapshot?.after === undefined ? page : { ...page, nextCursor: 3 }),
    ],
    [
      'no more, before the last page',
      (page) => (page.snapshot?.after === undefined ? page : { ...page, hasMore: false }),
    ],
    [
      'another cursor in the last page',
      (page) =>
        page.snapshot !== undefined && page.snapshot.after === undefined
          ? { ...page, nextCursor: page.nextCursor + 1 }
          : page,
    ],
  ])('the server answers with %s -> refused, tried again later', async (_, change) => {
    await filled()
    const b = await device({}, tampered(change))
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'invalid_response', retry: 'later' })
    expect(b.sync.status.cursor).toBe(0)
  })

  test('a page of a snapshot that nobody asked for -> refused', async () => {
    const a = await filled()
    const b = await device(
      {},
      tampered((page, { sinceCursor }) =>
        sinceCursor === 0 ? page : { ...page, nextCursor: 0, snapshot: { through: 0 } },
      ),
    )
    await b.sync.sync()
    const { cursor } = b.sync.status
    await a.addToken('n1', 'later')
    await a.sync.sync()
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    expect(b.sync.status.cursor).toBe(cursor)
  })
})
