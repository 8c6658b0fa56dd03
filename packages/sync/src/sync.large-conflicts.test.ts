/** Conflicts whose other sides are more than the server tells in one answer, against the real server. */
import { PUSH_PATH } from '@entidb/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import { Device, syncAll } from './test-kit/device.test-kit.ts'
import type { Fault } from './test-kit/model-server.test-kit.ts'
import { RealServer } from './test-kit/real-server.test-kit.ts'

let server: RealServer
let open: Device[]

beforeEach(() => {
  server = new RealServer({ maxConflictBytes: 5_000 })
  open = []
})

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  await server.close()
})

async function device(config: Partial<SyncConfig> = {}): Promise<Device> {
  const opened = await Device.open({ fetch: server.fetch, config })
  open.push(opened)
  return opened
}

const IDS = Array.from({ length: 8 }, (_, i) => `x${i}`)

/** Each in a transaction of its own. */
async function fill(each: Device, letter: string, ids: readonly string[] = IDS): Promise<void> {
  const last = letter.repeat(1_000)
  for (const id of ids) await each.db.collection('accounts').put({ id, balance: 0, last })
}

async function letters({ db }: Device): Promise<string> {
  const accounts = await db.collection('accounts').find({ orderBy: { id: 'asc' } })
  return accounts.map(({ last }) => last?.[0]).join('')
}

/** `a` writes `r` into `ids` in front of the next push of another device, which meets `fault`; all later requests meet `then`. */
function writeInFront(
  a: Device,
  ids: readonly string[],
  fault: Fault = 'pass',
  then: Fault = 'pass',
): void {
  server.fault = async ({ path }): Promise<Fault> => {
    if (path !== PUSH_PATH) return 'pass'
    server.fault = () => 'pass'
    await fill(a, 'r', ids)
    await a.sync.sync()
    server.fault = () => then
    return fault
  }
}

const keepsLocal: Partial<SyncConfig> = {
  conflictResolver: { resolve: () => ({ type: 'keepLocal' }) },
}

test.each(['pass', 'lose'] as const)(
  'many groups, the first answer: %s -> sent in parts, each conflict is settled',
  async (fault) => {
    const [a, b] = [await device(), await device(keepsLocal)]
    await fill(a, 'o')
    await syncAll(a, b)
    await fill(b, 'l')
    writeInFront(a, IDS, fault)
    await b.syncThrough()
    await syncAll(b, a)
    expect(await letters(a)).toBe('l'.repeat(8))
    for (const each of [a, b]) {
      expect(await each.sync.verify()).toMatchObject({ outcome: 'converged' })
      expect(each.sync.status).toMatchObject({ pending: 0, held: 0 })
    }
  },
)

test('a batch that was decided, sent again when its conflicts have grown -> nothing lost or done twice', async () => {
  const [a, b] = [await device(), await device(keepsLocal)]
  await fill(a, 'o')
  await syncAll(a, b)
  await fill(b, 'l')
  writeInFront(a, ['x1', 'x2'], 'lose', 'refuse')
  await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
  server.fault = () => 'pass'
  await a.sync.sync()
  expect(await letters(a)).toBe('lrrlllll')
  const last = 'R'.repeat(4_000)
  for (const id of ['x1', 'x2']) await a.db.collection('accounts').put({ id, balance: 0, last })
  await syncAll(a, b, a)
  expect(await letters(a)).toBe('l'.repeat(8))
  const named = (await server.operations()).map((op) => `${op.deviceId}/${op.opId}`)
  expect(new Set(named).size).toBe(named.length)
})

test('a group alone -> held as rejected, the rest goes on; discarded, it is as the server has it', async () => {
  const [a, b] = [await device(), await device()]
  await fill(a, 'o')
  await syncAll(a, b)
  await b.db.transaction(async (tx) => {
    for (const id of IDS) await tx.collection('accounts').delete(id)
  })
  await b.addToken('n1', 'b')
  writeInFront(a, ['x3'])
  await syncAll(b, a, b)
  expect(await a.tokens('n1')).toEqual(['b'])
  expect(await letters(a)).toBe('oooroooo')
  expect(b.sync.status).toMatchObject({ pending: 0, held: 8 })
  const [rejection] = await b.sync.rejections.list()
  expect(rejection).toMatchObject({ code: 'too_large', outcomeUnknown: false })
  await b.sync.rejections.discard(rejection?.id ?? '')
  await syncAll(b)
  expect(await letters(b)).toBe(await letters(a))
  expect(await b.sync.verify()).toMatchObject({ outcome: 'converged' })
})
