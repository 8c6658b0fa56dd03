/** Pulls from the beginning, and what may happen to the server and the device in the middle of one. */
import {
  decodePushRequest,
  encodePushResponse,
  MEDIA_TYPE,
  PULL_PATH,
  PUSH_PATH,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import { syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import type { Fault, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from './test-kit/pair.test-kit.ts'

const IDS = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']

/** Two devices with the same six notes. */
async function filledPair(maxPullOps = 2) {
  const pair = await openPair({}, { limits: { maxOpsPerPush: 10, maxPullOps } })
  for (const id of IDS) await pair.a.addToken(id, 'first')
  await syncAll(pair.a, pair.b)
  return pair
}

/** After the first page. */
function onSecondPull(server: ModelServer, run: () => void): void {
  let pulls = 0
  server.fault = ({ path }) => {
    if (path === PULL_PATH && ++pulls === 2) run()
    return 'pass'
  }
}

describe('re-sync', () => {
  test('the server restarts between two pages -> begins again, and keeps what the first page named', async () => {
    const { server, a, b } = await filledPair()
    server.database.scope = 'other'
    onSecondPull(server, () => server.database.beginEpoch())
    const events: string[] = []
    b.sync.on('resync', ({ phase, reason }) => events.push(`${phase} ${reason}`))
    await b.sync.sync()
    expect(events).toEqual(['began scope', 'began scope', 'ended scope'])
    await expectConverged(server, b)
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('the device gets another name between two pages -> goes on, and keeps what the first page named', async () => {
    const { server, a, b } = await filledPair()
    server.database.scope = 'other'
    let pulls = 0
    server.fault = ({ path }) => (path === PULL_PATH && ++pulls > 1 ? 'refuse' : 'pass')
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await b.sync.renameDevice()
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })
})

describe('re-sync of a device that gets another name with every pull', () => {
  test('many times -> it has not ended before its last page has come', async () => {
    const { server, a, b } = await filledPair()
    server.database.scope = 'other'
    let names = 0
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === PULL_PATH && names < 60) await b.sync.renameDevice(`name-${++names}`)
      return 'pass'
    }
    const ended: number[] = []
    b.sync.on('resync', ({ phase }) => phase === 'ended' && ended.push(b.sync.status.cursor))
    await b.sync.sync()
    expect(ended).toEqual([server.database.head])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })
})

describe('re-sync over a conflict', () => {
  test('the other side was deleted and forgotten -> nothing competes any more, and the edit goes to the server', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'theirs')
    await b.addToken('n1', 'ours')
    await syncAll(a, b)
    expect(b.sync.status.held).toBe(1)
    await a.db.collection('notes').delete('n1')
    await a.addToken('n2', 'later')
    await syncAll(a)
    server.database.purge()
    const events: string[] = []
    b.sync.on('resync', ({ phase, reason }) => events.push(`${phase} ${reason}`))
    await syncAll(b, a)
    expect(events).toEqual(['began cursor_expired', 'ended cursor_expired'])
    expect(await b.sync.conflicts.list()).toEqual([])
    expect(await a.tokens('n1')).toEqual(['ours'])
    await expectConverged(server, a, b)
  })
})

describe('a push that was accepted long ago', () => {
  /** The next push is answered as a repeated one: its first operation was accepted at `revision`. */
  function answersAsRepeated(
    server: ModelServer,
    revision: number,
    meanwhile: () => Promise<void> = async () => {},
  ): void {
    const { head } = server.database
    server.fault = async ({ path, body }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      server.fault = () => 'pass'
      await meanwhile()
      const [op] = decodePushRequest(body).ops
      const opId = op?.opId ?? 0
      const answer = encodePushResponse({
        acknowledgedUpToOpId: opId,
        conflicts: [],
        committed: [{ opId, entityVersion: revision }],
        ...{ headBefore: head, head, purgedThrough: head },
      })
      const headers = { 'content-type': MEDIA_TYPE }
      return new Response(answer as Uint8Array<ArrayBuffer>, { headers })
    }
  }

  /** `n1` was made at `revision`, deleted and forgotten; then `b`, which has heard of neither, made the same. */
  async function deletedAndForgotten(config: Partial<SyncConfig>) {
    const pair = await openPair(config)
    const { server, a, b } = pair
    await a.addToken('n1', 'a')
    await syncAll(a)
    const revision = server.database.head
    await a.db.collection('notes').delete('n1')
    await a.addToken('n2', 'a')
    await syncAll(a)
    server.database.purge()
    await syncAll(b)
    await b.addToken('n1', 'a')
    return { ...pair, revision }
  }

  test('by a copy of the device, deleted and forgotten since -> gone here too', async () => {
    const { server, a, b, revision } = await deletedAndForgotten({})
    answersAsRepeated(server, revision)
    await syncAll(b)
    expect(await b.tokens('n1')).toEqual([])
    await expectConverged(server, a, b)
  })

  test('the same, and edited here since -> that edit meets nothing on the server', async () => {
    const { server, a, b, revision } = await deletedAndForgotten({
      conflictResolver: unionResolver,
    })
    answersAsRepeated(server, revision, () => b.addToken('n1', 'later'))
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'later'])
    await expectConverged(server, a, b)
  })
})

describe('server restored', () => {
  test('to before a delete that is forgotten -> what it has again is on every device again', async () => {
    const { server, a, b } = await filledPair(100)
    const backup = server.database.backup()
    await a.db.collection('notes').delete('n2')
    await syncAll(a, b)
    server.database.purge()
    const newcomer = await openDevice(server)
    await syncAll(a, b, newcomer)
    server.database.restore(backup)
    server.database.beginEpoch()
    const events: string[] = []
    newcomer.sync.on('resync', ({ phase, reason }) => events.push(`${phase} ${reason}`))
    await syncAll(a, b, newcomer)
    expect(events).toEqual(['began epoch', 'ended epoch'])
    expect(server.database.live().has('notes/n2')).toBe(true)
    await expectConverged(server, a, b, newcomer)
  })

  test('to where our cursor is, and nobody pushes -> what it lost is offered again all the same', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'a')
    await syncAll(a, b)
    const backup = server.database.backup()
    const { cursor } = a.sync.status
    await b.addToken('n3', 'b')
    await a.addToken('n2', 'a')
    let pushes = 0
    server.fault = async ({ path }): Promise<Fault> => {
      // What the other device pushed in between keeps the cursor where it is; the pull that would move it is lost.
      if (path === PUSH_PATH && ++pushes === 1) await b.sync.sync()
      return path === PULL_PATH && pushes > 1 ? 'refuse' : 'pass'
    }
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    expect(a.sync.status).toMatchObject({ cursor, pending: 0 })
    server.database.restore(backup)
    // Hands are not shaken again right after a failure.
    await syncAll(a, a)
    expect([...server.database.live().keys()].sort()).toEqual(['notes/n1', 'notes/n2'])
    await expectConverged(server, a)
  })

  test('an edit on what it lost is given up -> back to what the server has of it, though it never sent that again', async () => {
    const takeRemote = { resolve: () => ({ type: 'takeRemote' }) as const }
    const { server, a, b } = await openPair({ conflictResolver: takeRemote })
    for (const id of ['n1', 'n2']) await a.addToken(id, 'first')
    await syncAll(a, b)
    const backup = server.database.backup()
    await b.addToken('n1', 'lost')
    await syncAll(b)
    server.database.restore(backup)
    server.database.beginEpoch()
    await a.addToken('n2', 'a')
    await syncAll(a)
    await b.db.transaction(async (tx) => {
      for (const id of ['n1', 'n2']) await tx.collection('notes').put({ id, tokens: ['b'] })
    })
    await syncAll(b, b)
    expect(await b.tokens('n1')).toEqual(['first'])
    expect(await b.tokens('n2')).toEqual(['a', 'first'])
    await expectConverged(server, a, b)
  })

  test('between two pages of a first sync -> also what newer edits had taken from the first page', async () => {
    const { server, a } = await filledPair()
    const backup = server.database.backup()
    await a.addToken('n1', 'second')
    await a.sync.sync()
    server.database.compact()
    const newcomer = await openDevice(server)
    onSecondPull(server, () => {
      server.database.restore(backup)
      server.database.beginEpoch()
    })
    await newcomer.sync.sync()
    expect(await newcomer.tokens('n1')).toEqual(['first'])
    await expectConverged(server, newcomer)
  })
})
