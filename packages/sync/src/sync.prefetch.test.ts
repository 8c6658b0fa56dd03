/** The next page is asked for while one is applied: what that must not change. */
import { decodePullRequest, PULL_PATH } from '@entidb/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged } from './test-kit/pair.test-kit.ts'

const PAGES = 5
const PAGE_OPS = 2

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

/** A server with `PAGES` pages, the device that wrote them, and one that has never synced. */
async function prepared() {
  const server = new ModelServer({ limits: { maxPullOps: PAGE_OPS } })
  const a = await device(server)
  for (let i = 0; i < PAGES * PAGE_OPS; i++) await a.addToken(`n${i}`, 'a')
  await syncAll(a)
  return { server, a, b: await device(server) }
}

function pulls(server: ModelServer): number[] {
  return server.requests
    .filter(({ path }) => path === PULL_PATH)
    .map(({ body }) => decodePullRequest(body).sinceCursor)
}

/** Runs `once` when a pull from beyond the first page arrives: while the page before is applied. */
function whilePrefetching(server: ModelServer, once: () => Fault | Promise<Fault>): void {
  let ran = false
  server.fault = ({ path, body }) => {
    if (ran || path !== PULL_PATH || decodePullRequest(body).sinceCursor === 0) return 'pass'
    ran = true
    return once()
  }
}

describe('next page', () => {
  test('a page is about to be applied: -> asked for, and no other before that is done', async () => {
    const { server, b } = await prepared()
    const before = pulls(server).length
    const askedAtCommit: number[] = []
    b.engine.between = async () => {
      const asked = pulls(server).length - before
      if (asked > 0) askedAtCommit.push(asked)
    }
    await b.sync.sync()
    // Page by page, with one more on its way; the last page has none behind it.
    expect(askedAtCommit.slice(0, PAGES)).toEqual([2, 3, 4, 5, 5])
    expect(pulls(server).length - before).toBe(PAGES)
  })

  test.each(['before', 'after'] as const)(
    'crash %s each commit, with a page in flight: -> goes on behind what was stored',
    async (point) => {
      for (let at = 0; ; at++) {
        const { server, a, b } = await prepared()
        const { engine } = b
        engine.crashAt = at
        engine.crashPoint = point
        await b.syncThrough()
        await expectConverged(server, a, b)
        if (engine.transactions <= at) return
        expect(at).toBeLessThan(40)
      }
    },
  )

  test('fails: -> the page before is stored all the same, and the next cycle asks again', async () => {
    const { server, a, b } = await prepared()
    whilePrefetching(server, () => {
      server.fault = () => 'refuse'
      return 'refuse'
    })
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    const { cursor } = b.sync.status
    expect(await b.db.collection('notes').count()).toBe(PAGE_OPS)
    server.fault = () => 'pass'
    const asked = pulls(server).length
    await b.sync.sync()
    expect(pulls(server)[asked]).toBe(cursor)
    await expectConverged(server, a, b)
  })

  test('the device is renamed meanwhile: -> thrown away, asked for again under the new name', async () => {
    const { server, a, b } = await prepared()
    let renaming: Promise<unknown> | undefined
    whilePrefetching(server, () => {
      renaming = b.sync.renameDevice('renamed')
      return 'pass'
    })
    await b.sync.sync()
    await renaming
    expect(pulls(server).length).toBeGreaterThan(PAGES)
    const last = server.requests.filter(({ path }) => path === PULL_PATH).at(-1)
    expect(decodePullRequest(last?.body ?? new Uint8Array()).deviceId).toBe('renamed')
    await expectConverged(server, a, b)
  })

  test('a re-sync begins meanwhile: -> thrown away, everything pulled again', async () => {
    const { server, a, b } = await prepared()
    const events: string[] = []
    b.sync.on('resync', ({ phase, reason }) => events.push(`${phase} ${reason}`))
    whilePrefetching(server, () => {
      // What the first page brought is beyond the horizon by the time the second one is asked for.
      server.database.purge()
      Object.assign(server.database.limits, { maxPullOps: 100 })
      return 'pass'
    })
    await b.sync.sync()
    expect(events).toEqual(['began cursor_expired', 'ended cursor_expired'])
    await expectConverged(server, a, b)
  })

  test('the server is restored meanwhile: -> the epoch changes behind the page before', async () => {
    const { server, a, b } = await prepared()
    const backup = server.database.backup()
    const epochs: unknown[] = []
    b.sync.on('epoch', (epoch) => epochs.push(epoch))
    whilePrefetching(server, () => {
      server.database.restore(backup)
      server.database.beginEpoch()
      return 'pass'
    })
    await b.sync.sync()
    expect(epochs).toHaveLength(1)
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('the server is restored while a page of before waits: -> that page counts, then the epoch changes', async () => {
    const { server, a, b } = await prepared()
    let asked = 0
    server.fault = ({ path }) => {
      if (path !== PULL_PATH) return 'pass'
      asked += 1
      if (asked !== 3) return 'pass'
      server.database.reopen()
      server.database.beginEpoch()
      return 'pass'
    }
    await b.sync.sync()
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('stop() meanwhile: -> ends cleanly between two pages; the next start goes on there', async () => {
    const { server, a, b } = await prepared()
    let stopping: Promise<void> | undefined
    whilePrefetching(server, () => {
      stopping = b.sync.stop()
      return new Promise<Fault>(() => {})
    })
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'sync_stopped' })
    await stopping
    const stored = await b.db.collection('notes').count()
    expect(stored % PAGE_OPS).toBe(0)
    server.fault = () => 'pass'
    await b.sync.start()
    await vi.waitFor(() => expect(b.sync.status).toMatchObject({ phase: 'idle' }))
    await expectConverged(server, a, b)
  })

  test('edits are made meanwhile: -> kept, and pushed at the end', async () => {
    const { server, a, b } = await prepared()
    b.engine.between = async () => {
      b.engine.between = async () => {}
      await b.addToken('n1', 'b')
      await b.addToken('mine', 'b')
    }
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'b'])
    expect(await a.tokens('mine')).toEqual(['b'])
    await expectConverged(server, a, b)
  })
})
