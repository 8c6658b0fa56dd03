import { decodePushRequest, PUSH_PATH } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { ConflictResolver, LocalSide, Resolution } from './conflicts/conflict-types.ts'
import { type Device, syncAll, tokensOf, unionResolver } from './test-kit/device.test-kit.ts'
import type { Fault, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from './test-kit/pair.test-kit.ts'

const GROUPS = 20
const MEMBERS = 3

const idOf = (group: number, member: number): string => `g${group}m${member}`
const IDS = Array.from({ length: GROUPS }, (_, group) =>
  Array.from({ length: MEMBERS }, (_, member) => idOf(group, member)),
)

async function edit(device: Device, token: string, groups = IDS): Promise<void> {
  for (const ids of groups) {
    await device.db.transaction(async (tx) => {
      const notes = tx.collection('notes')
      for (const id of ids) {
        const tokens = tokensOf(await notes.get(id))
        await notes.put({ id, tokens: [...tokens, token].sort() })
      }
    })
  }
}

/** Both edited all of it, and the server has what `a` did, or will have it in front of the first push of `b`. */
async function bothEdited(
  { server, a, b }: { server: ModelServer; a: Device; b: Device },
  found: 'pull' | 'push' = 'pull',
): Promise<void> {
  await edit(a, 'base')
  await syncAll(a, b)
  await edit(a, 'a')
  await edit(b, 'b')
  if (found === 'pull') {
    await a.sync.sync()
    return
  }
  server.fault = async ({ path }): Promise<Fault> => {
    if (path !== PUSH_PATH) return 'pass'
    server.fault = () => 'pass'
    await a.sync.sync()
    return 'pass'
  }
}

const edited = (local: LocalSide, token: string): boolean => tokensOf(local.entity).includes(token)

describe('many conflicts', () => {
  test.each(['pull', 'push'] as const)(
    'found by a %s: -> each is asked about once, each group is pushed by itself, in few transactions',
    async (found) => {
      const asked: string[] = []
      const groups: (readonly string[])[] = []
      const conflictResolver: ConflictResolver = {
        resolve(local, remote, context) {
          asked.push(local.entityId)
          groups.push([local.entityId, ...context.group.map(({ entityId }) => entityId)].sort())
          return unionResolver.resolve(local, remote, context)
        },
      }
      const pair = await openPair({ conflictResolver })
      const { server, a, b } = pair
      await bothEdited(pair, found)
      const before = b.engine.transactions
      await b.sync.sync()
      expect(b.engine.transactions - before).toBeLessThan(GROUPS)
      expect(asked.sort()).toEqual(IDS.flat().sort())
      expect(new Set(groups.map((ids) => ids.join()))).toEqual(
        new Set(IDS.map((ids) => ids.join())),
      )
      const push = server.requests.findLast(({ path }) => path === PUSH_PATH)
      const { ops } = decodePushRequest(push?.body ?? new Uint8Array(0))
      const sent = new Map<number | undefined, string[]>()
      for (const { tx, entityId } of ops) sent.set(tx, [...(sent.get(tx) ?? []), entityId])
      expect([...sent.values()].map((ids) => ids.sort().join()).sort()).toEqual(
        IDS.map((ids) => ids.join()).sort(),
      )
      await syncAll(a, b)
      for (const id of IDS.flat()) expect(await a.tokens(id)).toEqual(['a', 'b', 'base'])
      await expectConverged(server, a, b)
    },
  )

  test('the database refuses what one of them was merged to: -> that one is deferred, the others are settled', async () => {
    const big = idOf(7, 1)
    const conflictResolver: ConflictResolver = {
      resolve(local, remote, context) {
        if (local.entityId !== big) return unionResolver.resolve(local, remote, context)
        return { type: 'merge', entity: { id: big, tokens: ['x'.repeat(5_000)] } }
      },
    }
    const { server, a } = await openPair()
    const b = await openDevice(server, { conflictResolver }, { maxEntityBytes: 2_000 })
    await bothEdited({ server, a, b })
    await b.sync.sync()
    expect(b.errors).toEqual(['invalid_entity'])
    const listed = await b.sync.conflicts.list()
    expect(listed.map(({ entityId }) => entityId).sort()).toEqual(IDS[7])
    for (const id of IDS.flat()) {
      const isHeld = IDS[7]?.includes(id) === true
      expect(b.sync.stateOf('notes', id)).toBe(isHeld ? 'held' : 'synced')
      expect(await b.tokens(id)).toEqual(isHeld ? ['b', 'base'] : ['a', 'b', 'base'])
    }
  })

  test('edited after it was decided, before that is carried out: -> asked again, the others are settled', async () => {
    const asked = new Map<string, number>()
    const [first] = IDS
    const conflictResolver: ConflictResolver = {
      async resolve(local, remote, context) {
        const { entityId } = local
        asked.set(entityId, (asked.get(entityId) ?? 0) + 1)
        if (entityId === idOf(1, 0)) await edit(b, 'late', [first ?? []])
        return unionResolver.resolve(local, remote, context)
      },
    }
    const { server, a } = await openPair()
    const b = await openDevice(server, { conflictResolver })
    await bothEdited({ server, a, b })
    await b.sync.sync()
    expect(Object.fromEntries(asked)).toEqual(
      Object.fromEntries(IDS.flat().map((id) => [id, first?.includes(id) === true ? 2 : 1])),
    )
    await syncAll(a, b)
    for (const id of IDS.flat()) {
      const late = first?.includes(id) === true ? ['late'] : []
      expect(await a.tokens(id)).toEqual(['a', 'b', 'base', ...late])
    }
    await expectConverged(server, a, b)
  })

  test('a resolver that takes its time: -> what was decided before does not wait for it', async () => {
    const [quick, slow, stuck] = [idOf(0, 0), idOf(1, 0), idOf(2, 0)]
    const seen: string[] = []
    const asked: string[] = []
    const conflictResolver: ConflictResolver = {
      async resolve(local, remote, context) {
        const { entityId } = local
        asked.push(entityId)
        if (entityId === slow || entityId === stuck) {
          await new Promise((resolve) => setTimeout(resolve, 200))
          seen.push(b.sync.stateOf('notes', quick), b.sync.stateOf('notes', slow))
        }
        if (entityId === stuck) await new Promise(() => {})
        return unionResolver.resolve(local, remote, context)
      },
    }
    const { server, a } = await openPair()
    const b = await openDevice(server, { conflictResolver, resolverTimeLimitMs: 1_000 })
    await bothEdited({ server, a, b })
    await b.sync.sync()
    expect(seen).toEqual(['pending', 'held', 'pending', 'pending'])
    expect(b.errors).toEqual(['resolver_failed'])
    expect(asked.filter((id) => id === slow || id === stuck)).toEqual([slow, stuck])
    const held = (await b.sync.conflicts.list()).map(({ entityId }) => entityId)
    expect(held.sort()).toEqual(IDS[2])
  })

  test.each(['pull', 'push'] as const)(
    'found by a %s, a crash at each transaction: -> nothing lost',
    async (found) => {
      for (const point of ['before', 'after'] as const) {
        for (let crashAt = 0; ; crashAt++) {
          const pair = await openPair({ conflictResolver: unionResolver })
          const { server, a, b } = pair
          await bothEdited(pair, found)
          const { engine } = b
          engine.crashAt = engine.transactions + crashAt
          engine.crashPoint = point
          await b.syncThrough()
          const hasCrashed = b.engine !== engine
          await syncAll(a, b)
          for (const id of IDS.flat()) expect(await a.tokens(id)).toEqual(['a', 'b', 'base'])
          await expectConverged(server, a, b)
          if (!hasCrashed) break
        }
      }
    },
  )

  test('no resolver: -> every conflict is told once, and listed', async () => {
    const pair = await openPair()
    await bothEdited(pair)
    const { b } = pair
    const told: string[] = []
    b.sync.on('conflict', ({ entityId }) => told.push(entityId))
    const before = b.engine.transactions
    await b.sync.sync()
    expect(b.engine.transactions - before).toBeLessThan(GROUPS)
    expect(told.sort()).toEqual(IDS.flat().sort())
    expect(await b.sync.conflicts.list()).toHaveLength(GROUPS * MEMBERS)
    await b.sync.sync()
    expect(told).toHaveLength(GROUPS * MEMBERS)
  })

  test('takeRemote of one, keepLocal of another member: -> the group goes by the rules, the others by theirs', async () => {
    const resolve = (local: LocalSide): Resolution => {
      const isFirst = local.entityId === idOf(3, 0)
      return { type: isFirst && edited(local, 'b') ? 'takeRemote' : 'keepLocal' }
    }
    const config: Partial<SyncConfig> = { conflictResolver: { resolve } }
    const pair = await openPair(config)
    const { server, a, b } = pair
    await bothEdited(pair)
    await syncAll(b, a)
    for (const id of IDS.flat()) {
      expect(await a.tokens(id)).toEqual(IDS[3]?.includes(id) ? ['a', 'base'] : ['b', 'base'])
    }
    await expectConverged(server, a, b)
  })
})
