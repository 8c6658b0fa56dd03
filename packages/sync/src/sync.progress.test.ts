/** What the status shows of steps that take long: how far they are, of how much. */
import { PULL_PATH, PUSH_PATH } from '@entidb/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import type { SyncProgress, SyncStatus } from './status.ts'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged } from './test-kit/pair.test-kit.ts'

const PAGE_OPS = 3
const BATCH_OPS = 4

let open: Device[] = []

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  open = []
})

async function device(server: ModelServer): Promise<Device> {
  const opened = await Device.open({
    fetch: server.fetch,
    config: { conflictResolver: unionResolver },
  })
  open.push(opened)
  return opened
}

function newServer(): ModelServer {
  return new ModelServer({ limits: { maxPullOps: PAGE_OPS, maxOpsPerPush: BATCH_OPS } })
}

/** Two devices that have `n0` to `n4`. */
async function prepared() {
  const server = newServer()
  const [a, b] = [await device(server), await device(server)]
  await edit(a, 5, 'base')
  await syncAll(a, b)
  return { server, a, b }
}

/** The same, `b` ten edits behind. */
async function behind() {
  const { server, a, b } = await prepared()
  await edit(a, 10, 'a')
  await a.sync.sync()
  return { server, a, b }
}

/** An edit each of `n0` and so on. */
async function edit(device: Device, count: number, token: string): Promise<void> {
  for (let i = 0; i < count; i++) await device.addToken(`n${i}`, token)
}

/** Every status from now on. */
function watch(device: Device): readonly SyncStatus[] {
  const seen: SyncStatus[] = []
  device.sync.on('status', (status) => seen.push(status))
  return seen
}

/** What was shown, each once; null where nothing was in between. */
function shown(seen: readonly SyncStatus[]): readonly (string | null)[] {
  const texts = seen.map(({ progress }) => progress && textOf(progress))
  return texts.filter((text, i) => i === 0 || text !== texts[i - 1])
}

function textOf({ direction, unit, done, total }: SyncProgress): string {
  return `${direction} ${done}/${total} ${unit}`
}

function expectForward(seen: readonly SyncStatus[], direction: SyncProgress['direction']): void {
  let last = { done: 0, total: 0 }
  for (const { progress } of seen) {
    if (progress?.direction !== direction) continue
    expect(progress.done).toBeGreaterThanOrEqual(last.done)
    expect(progress.total).toBeGreaterThanOrEqual(last.total)
    expect(progress.done).toBeLessThanOrEqual(progress.total)
    last = progress
  }
}

/** The n-th request of this path that comes from now on is refused, and all that follow. */
function refuseFrom(server: ModelServer, path: string, n: number): void {
  let asked = 0
  server.fault = (request) => {
    if (request.path === path) asked += 1
    return asked >= n ? 'refuse' : 'pass'
  }
}

describe('progress of a pull', () => {
  test('several pages are missing: -> revisions up to the head that the server names', async () => {
    const { server, a, b } = await behind()
    const seen = watch(b)
    await b.sync.sync()
    expect(shown(seen)).toEqual([
      null,
      'pull 0/10 revisions',
      'pull 3/10 revisions',
      'pull 6/10 revisions',
      'pull 9/10 revisions',
      'pull 10/10 revisions',
      null,
    ])
    await expectConverged(server, a, b)
  })

  test('one page is missing: -> nothing', async () => {
    const { a, b } = await prepared()
    await edit(a, PAGE_OPS, 'a')
    await a.sync.sync()
    const seen = watch(b)
    await b.sync.sync()
    expect(shown(seen)).toEqual([null])
  })

  test('superseded operations were cleared away: -> jumps, and ends at its total', async () => {
    const { server, a, b } = await prepared()
    for (const token of ['one', 'two', 'three']) await edit(a, 5, token)
    await a.sync.sync()
    await edit(a, 5, 'four')
    await a.sync.sync()
    server.database.compact()
    const seen = watch(b)
    await b.sync.sync()
    const total = server.database.head - (seen[0]?.cursor ?? 0)
    expect(shown(seen).slice(1)).toEqual([
      `pull 0/${total} revisions`,
      `pull ${total - 2}/${total} revisions`,
      `pull ${total}/${total} revisions`,
      null,
    ])
  })

  test('a new epoch left cursors out: -> they are not counted', async () => {
    const { server, a, b } = await prepared()
    server.database.beginEpoch()
    await edit(a, 7, 'a')
    await a.sync.sync()
    const seen = watch(b)
    await b.sync.sync()
    expect(shown(seen)).toContain('pull 0/7 revisions')
    expectForward(seen, 'pull')
  })

  test('other devices go on editing meanwhile: -> the total grows', async () => {
    const { server, a, b } = await behind()
    let asked = 0
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PULL_PATH) return 'pass'
      asked += 1
      if (asked !== 3) return 'pass'
      server.fault = () => 'pass'
      await edit(a, 4, 'more')
      await a.sync.sync()
      return 'pass'
    }
    const seen = watch(b)
    await b.sync.sync()
    expect(shown(seen)).toContain('pull 14/14 revisions')
    expectForward(seen, 'pull')
  })

  test('fails in the middle: -> nothing while it waits, then goes on where it was', async () => {
    const { server, b } = await behind()
    const seen = watch(b)
    refuseFrom(server, PULL_PATH, 3)
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    expect(b.sync.status.progress).toBeNull()
    server.fault = () => 'pass'
    await b.sync.sync()
    expect(shown(seen)).toEqual([
      null,
      'pull 0/10 revisions',
      'pull 3/10 revisions',
      'pull 6/10 revisions',
      null,
      'pull 6/10 revisions',
      'pull 9/10 revisions',
      'pull 10/10 revisions',
      null,
    ])
  })

  test('the process is another one: -> what is left', async () => {
    const { server, b } = await behind()
    refuseFrom(server, PULL_PATH, 3)
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    b.restart()
    const seen = watch(b)
    await b.sync.sync()
    expect(shown(seen)).toContain('pull 0/4 revisions')
  })

  test('a first sync fails in the middle: -> goes on in entities', async () => {
    const { server } = await prepared()
    const c = await device(server)
    refuseFrom(server, PULL_PATH, 2)
    const seen = watch(c)
    await expect(c.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await c.sync.sync()
    expect(shown(seen)).toEqual([
      null,
      'pull 0/5 entities',
      'pull 3/5 entities',
      null,
      'pull 3/5 entities',
      'pull 5/5 entities',
      null,
    ])
  })

  test('a re-sync begins in the middle: -> begins again, in entities', async () => {
    const { server, a, b } = await behind()
    let asked = 0
    server.fault = ({ path }) => {
      if (path === PULL_PATH) asked += 1
      if (asked === 3) {
        server.fault = () => 'pass'
        server.database.purge()
        // The model takes a cursor below what was purged for one of before, also within a re-sync.
        Object.assign(server.database.limits, { maxPullOps: 100 })
      }
      return 'pass'
    }
    const seen = watch(b)
    await b.sync.sync()
    const texts = shown(seen)
    expect(texts).toContain('pull 3/10 revisions')
    expect(texts.slice(-2)).toEqual(['pull 10/10 entities', null])
    await expectConverged(server, a, b)
  })

  test('deletes come, too: -> never at its end before the last page', async () => {
    const { server, a } = await prepared()
    for (const id of ['n0', 'n1', 'n2', 'n3']) await a.db.collection('notes').delete(id)
    await a.sync.sync()
    const c = await device(server)
    const seen = watch(c)
    await c.sync.sync()
    const early = seen.filter(({ cursor }) => cursor < server.database.head)
    for (const { progress } of early) {
      if (progress !== null) expect(progress.done).toBeLessThan(progress.total)
    }
    expectForward(seen, 'pull')
  })

  test('a server without extensions: -> the head of the handshake', async () => {
    const server = new ModelServer({ simple: true, limits: { maxPullOps: PAGE_OPS } })
    const [a, b] = [await device(server), await device(server)]
    await a.addToken('n0', 'base')
    await syncAll(a, b)
    await edit(a, 8, 'a')
    await a.sync.sync()
    const seen = watch(b)
    await b.sync.sync()
    expect(shown(seen)).toEqual([
      null,
      'pull 3/8 revisions',
      'pull 6/8 revisions',
      'pull 8/8 revisions',
      null,
    ])
  })
})

describe('progress of a push', () => {
  test('several batches: -> edits that are decided, of those that waited', async () => {
    const { server, a, b } = await prepared()
    await edit(a, 10, 'a')
    const seen = watch(a)
    await a.sync.sync()
    expect(shown(seen)).toEqual([
      null,
      'push 0/10 edits',
      'push 4/10 edits',
      'push 8/10 edits',
      'push 10/10 edits',
      null,
    ])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('one batch: -> nothing', async () => {
    const { a } = await prepared()
    await edit(a, BATCH_OPS, 'a')
    const seen = watch(a)
    await a.sync.sync()
    expect(shown(seen)).toEqual([null])
  })

  test('total - done -> what the status calls pending', async () => {
    const { a } = await prepared()
    for (const token of ['one', 'two', 'three']) await edit(a, 10, token)
    const seen = watch(a)
    await a.sync.sync()
    expectForward(seen, 'push')
    const measured = seen.filter(({ progress }) => progress !== null)
    expect(measured.length).toBeGreaterThan(2)
    for (const { pending, progress } of measured) {
      expect((progress?.total ?? 0) - (progress?.done ?? 0)).toBe(pending)
    }
  })

  test('edits are made meanwhile: -> more to do, never less done', async () => {
    const { server, a, b } = await prepared()
    await edit(a, 10, 'a')
    let sent = 0
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      sent += 1
      if (sent === 1) for (const id of ['m0', 'm1', 'm2']) await a.addToken(id, 'meanwhile')
      return 'pass'
    }
    const seen = watch(a)
    await a.sync.sync()
    expectForward(seen, 'push')
    expect(shown(seen)).toContain('push 0/13 edits')
    expect(shown(seen)).toContain('push 4/13 edits')
    expect(shown(seen).slice(-2)).toEqual(['push 13/13 edits', null])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('fails in the middle: -> nothing while it waits, then goes on where it was', async () => {
    const { server, a, b } = await prepared()
    await edit(a, 10, 'a')
    const seen = watch(a)
    refuseFrom(server, PUSH_PATH, 2)
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    expect(a.sync.status.progress).toBeNull()
    await a.addToken('m0', 'offline')
    server.fault = () => 'pass'
    await a.sync.sync()
    expect(shown(seen)).toEqual([
      null,
      'push 0/10 edits',
      'push 4/10 edits',
      null,
      'push 4/11 edits',
      'push 8/11 edits',
      'push 11/11 edits',
      null,
    ])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('an answer is lost: -> counted when the batch is sent again', async () => {
    const { server, a, b } = await prepared()
    await edit(a, 10, 'a')
    let sent = 0
    server.fault = ({ path }) => {
      if (path === PUSH_PATH) sent += 1
      return path === PUSH_PATH && sent >= 2 ? 'lose' : 'pass'
    }
    const seen = watch(a)
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await a.sync.sync()
    expectForward(seen, 'push')
    expect(shown(seen).slice(-2)).toEqual(['push 10/10 edits', null])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('another device writes meanwhile: -> shown on while its edits are pulled', async () => {
    const { server, a, b } = await prepared()
    await edit(a, 10, 'a')
    let sent = 0
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      sent += 1
      if (sent !== 2) return 'pass'
      server.fault = () => 'pass'
      await b.addToken('theirs', 'b')
      await b.sync.sync()
      return 'pass'
    }
    const seen = watch(a)
    await a.sync.sync()
    const pushes = shown(seen).filter((text) => text?.startsWith('pull') !== true)
    expect(pushes.slice(0, 2)).toEqual([null, 'push 0/10 edits'])
    expect(pushes.slice(-2)).toEqual(['push 10/10 edits', null])
    expect(pushes.slice(1, -1)).not.toContain(null)
    expectForward(seen, 'push')
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('what is held counts as done: -> ends', async () => {
    const server = new ModelServer({
      limits: { maxOpsPerPush: BATCH_OPS },
      policy: ({ entityId }) => (entityId === 'n3' ? { code: 'no', message: 'no' } : undefined),
    })
    const a = await device(server)
    await edit(a, 10, 'a')
    const seen = watch(a)
    await a.sync.sync()
    expect(shown(seen).slice(-2)).toEqual(['push 10/10 edits', null])
    expect(a.sync.status).toMatchObject({ pending: 0, held: 1, progress: null })
  })

  test('stopped in the middle: -> nothing; the next start shows what is left', async () => {
    const { server, a } = await prepared()
    await edit(a, 10, 'a')
    let sent = 0
    let stopping: Promise<void> | undefined
    server.fault = ({ path }) => {
      if (path === PUSH_PATH) sent += 1
      if (sent === 2) stopping ??= a.sync.stop()
      return 'pass'
    }
    const seen = watch(a)
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'sync_stopped' })
    await stopping
    expect(a.sync.status).toMatchObject({ phase: 'stopped', progress: null })
    server.fault = () => 'pass'
    await a.sync.start()
    await a.sync.sync()
    expect(a.sync.status).toMatchObject({ pending: 0, progress: null })
    expectForward(
      seen.slice(
        0,
        seen.findIndex(({ phase }) => phase === 'stopped'),
      ),
      'push',
    )
  })
})

describe('progress of a device that follows the stream', () => {
  test('an edit here and one elsewhere: -> nothing; many at once: -> how far', async () => {
    const server = newServer()
    const timers = new ManualTimers()
    const environment = { timers, random: () => 0.5, now: () => timers.nowMs }
    const a = await Device.open({ fetch: server.fetch, config: { stream: true, environment } })
    const b = await Device.open({ fetch: server.fetch, config: { stream: true, environment } })
    open.push(a, b)
    await Promise.all([a.sync.start(), b.sync.start()])
    await a.addToken('n0', 'first')
    await settle()
    const seen = [watch(a), watch(b)]
    await a.addToken('n0', 'second')
    await settle()
    expect(seen.map(shown)).toEqual([[null], [null]])
    // The head goes on by more than a page with one answer.
    await b.sync.stop()
    await edit(a, 10, 'many')
    await settle()
    await b.sync.start()
    await settle()
    expect(shown(seen[1] ?? [])).toContain('pull 3/10 revisions')
    expect(b.sync.status).toMatchObject({ progress: null, cursor: server.database.head })
  })
})
