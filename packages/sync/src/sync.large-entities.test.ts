import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import { sameBytes } from './same-bytes.ts'
import { decodeUnsynced } from './sign-out/export-unsynced.ts'
import { type Account, type Device, syncAll } from './test-kit/device.test-kit.ts'
import { ModelServer, refusal } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from './test-kit/pair.test-kit.ts'

const MEBIBYTE = 1024 * 1024
/** What a device lets an application store by default. */
const LARGEST = 16 * MEBIBYTE
const limits = { maxEntityBytes: LARGEST, maxBodyBytes: LARGEST + 4 * 1024 }

/** An entity of exactly that many bytes, filled with `letter`. */
function accountOf(id: string, letter: string, bytes: number): Account {
  const sized = (length: number): Account => ({ id, balance: 0, last: letter.repeat(length) })
  // The length of a long text takes five bytes wherever the text ends.
  const around = encodeEntity(sized(MEBIBYTE)).length - MEBIBYTE
  return sized(bytes - around)
}

/** The letter that an account is filled with. */
const letterOf = (entity: unknown): string | undefined => (entity as Account | null)?.last?.[0]

async function piecesOn({ db }: Device): Promise<readonly string[]> {
  return db.transaction(async (tx) => {
    const rows = await tx.collection('_sync_pieces').find({})
    return rows.map(({ id }) => id)
  })
}

async function letterOn(device: Device, id = 'x'): Promise<string | undefined> {
  return letterOf(await device.db.collection('accounts').get(id))
}

interface Sides {
  readonly base: number
  readonly local: number
  readonly remote: number
}

/** Both had `o`; the server has `r`, and `b` edited to `l`. */
async function inConflict({ base, local, remote }: Sides) {
  const { server, a, b } = await openPair({}, { limits })
  await a.db.collection('accounts').put(accountOf('x', 'o', base))
  await syncAll(a, b)
  await a.db.collection('accounts').put(accountOf('x', 'r', remote))
  await b.db.collection('accounts').put(accountOf('x', 'l', local))
  await a.sync.sync()
  await b.sync.sync()
  return { server, a, b }
}

async function sidesOn(device: Device): Promise<readonly (string | undefined)[]> {
  const [conflict] = await device.sync.conflicts.list()
  return [conflict?.base?.entity, conflict?.local.entity, conflict?.remote.entity].map(letterOf)
}

async function settle(device: Device, type: 'takeRemote' | 'keepLocal'): Promise<void> {
  const [conflict] = await device.sync.conflicts.list()
  await device.sync.conflicts.resolve(conflict?.id ?? '', { type })
}

async function keptOn(device: Device): Promise<readonly (string | undefined)[]> {
  const [entry] = await device.sync.ledger.list({ fate: 'conflict' })
  const kept = await device.sync.ledger.kept(entry?.id ?? '')
  return kept.map(({ entity }) => letterOf(entity))
}

// They are large: a machine that is busy takes long.
describe('entities of the largest size', { timeout: 180_000 }, () => {
  test('three sides, each of 16 MiB: -> listed, also by another process, exported; takeRemote settles it', async () => {
    const { server, a, b } = await inConflict({ base: LARGEST, local: LARGEST, remote: LARGEST })
    expect(await sidesOn(b)).toEqual(['o', 'l', 'r'])
    b.restart()
    expect(await sidesOn(b)).toEqual(['o', 'l', 'r'])
    const records: ReturnType<typeof decodeUnsynced>[] = []
    for await (const bytes of (await b.sync.signOut()).export()) records.push(decodeUnsynced(bytes))
    const [, record] = records
    if (record === undefined || 'format' in record) throw new Error('no record')
    const lengths = [record.local, record.base, record.remote].map(
      (side) => side?.entityCbor?.length,
    )
    expect(lengths).toEqual([LARGEST, LARGEST, LARGEST])
    b.restart()
    await settle(b, 'takeRemote')
    expect(await keptOn(b)).toEqual(['l'])
    await syncAll(b, a)
    expect(await letterOn(a)).toBe('r')
    await expectConverged(server, a, b)
  })

  test('the remote side alone of 16 MiB: -> listed; keepLocal settles it', async () => {
    const { server, a, b } = await inConflict({ base: MEBIBYTE, local: MEBIBYTE, remote: LARGEST })
    expect(await sidesOn(b)).toEqual(['o', 'l', 'r'])
    await settle(b, 'keepLocal')
    expect(await keptOn(b)).toEqual(['r'])
    await syncAll(b, a)
    expect(await letterOn(a)).toBe('l')
    await expectConverged(server, a, b)
  })

  test('a remote side that shrinks and grows: -> the newest one, whole', async () => {
    const { a, b } = await inConflict({ base: MEBIBYTE, local: MEBIBYTE, remote: 2 * MEBIBYTE })
    for (const bytes of [1.5 * MEBIBYTE, 1.1 * MEBIBYTE, 3 * MEBIBYTE].map(Math.floor)) {
      const newer = accountOf('x', 'n', bytes)
      await a.db.collection('accounts').put(newer)
      await a.sync.sync()
      await b.sync.sync()
      b.restart()
      const [conflict] = await b.sync.conflicts.list()
      const shown = encodeEntity(conflict?.remote.entity)
      expect(sameBytes(shown, encodeEntity(newer)), `${bytes} bytes`).toBe(true)
      const pieces = Math.ceil(bytes / (MEBIBYTE / 2))
      expect(await piecesOn(b)).toHaveLength(pieces)
    }
    await a.db.collection('accounts').delete('x')
    await a.sync.sync()
    await b.sync.sync()
    b.restart()
    expect(await b.sync.conflicts.list()).toMatchObject([{ remote: { entity: null } }])
    expect(await piecesOn(b)).toEqual([])
  })

  test('a piece lost in a salvaged file: -> the server tells of the conflict again', async () => {
    const { b } = await inConflict({ base: MEBIBYTE, local: MEBIBYTE, remote: 2 * MEBIBYTE })
    const [id = ''] = await piecesOn(b)
    await b.db.transaction((tx) => tx.collection('_sync_pieces').delete(id))
    b.restart()
    expect(await b.sync.conflicts.list()).toEqual([])
    await b.sync.sync()
    expect(await sidesOn(b)).toEqual(['o', 'l', 'r'])
  })

  test('what was sent without an answer: -> held with an unknown outcome, its echo is recognised', async () => {
    const { server, a, b } = await openPair({}, { limits })
    await b.db.collection('accounts').put(accountOf('x', 'l', LARGEST))
    server.fault = ({ path }) => (path === '/v1/push' ? 'lose' : 'pass')
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = ({ path }) => (path === '/v1/push' ? refusal('forbidden') : 'pass')
    await b.sync.sync()
    server.fault = () => 'pass'
    await syncAll(b, a)
    expect(b.sync.stateOf('accounts', 'x')).toBe('synced')
    await expectConverged(server, a, b)
  })

  test('a device that lets its application store less: -> syncs all the same', async () => {
    const server = new ModelServer({ limits })
    const a = await openDevice(server)
    const b = await openDevice(server, {}, { maxEntityBytes: 1024 })
    const small = (id: string): Account => ({ id, balance: 1 })
    await b.db.collection('accounts').putMany([...Array(200).keys()].map((i) => small(`b${i}`)))
    await a.db.collection('accounts').put(small('x'))
    await syncAll(a, b)
    await a.db.collection('accounts').put(accountOf('x', 'r', MEBIBYTE))
    await b.db.collection('accounts').put({ ...small('x'), balance: 2 })
    await syncAll(a, b)
    const [conflict] = await b.sync.conflicts.list()
    expect(letterOf(conflict?.remote.entity)).toBe('r')
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })
})
