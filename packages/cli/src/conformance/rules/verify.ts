/** Digests: section 14. */
import { createHash } from 'node:crypto'
import type { SyncOperation } from '@entidb/protocol'
import { addDigests, emptyDigest, encodeDigestInput } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import type { Device } from '../device.ts'
import { expectEqual } from '../expectations.ts'
import type { Rule } from '../rule.ts'

interface Digests {
  readonly cursor: number
  readonly total: Uint8Array
  readonly byCollection: Readonly<Record<string, Uint8Array>>
}

/** Computed from everything the server gives, as section 14 defines it. */
async function digestsOf(device: Device): Promise<Digests> {
  const live = new Map<string, SyncOperation>()
  let cursor = 0
  for (const { ops, nextCursor } of await device.pullPages(0)) {
    for (const op of ops) live.set(JSON.stringify([op.collection, op.entityId]), op)
    cursor = nextCursor
  }
  const byCollection: Record<string, Uint8Array> = Object.create(null)
  let total = emptyDigest()
  for (const { collection, entityId, entityVersion, entityCbor } of live.values()) {
    if (entityCbor === null) continue
    const input = encodeDigestInput(collection, entityId, entityVersion, entityCbor)
    const digest = new Uint8Array(createHash('sha256').update(input).digest())
    byCollection[collection] = addDigests(byCollection[collection] ?? emptyDigest(), digest)
    total = addDigests(total, digest)
  }
  return { cursor, total, byCollection }
}

/** A database in which something was put, changed and deleted. */
async function edited(bench: Bench): Promise<Device> {
  const device = bench.device()
  const ops = ['e1', 'e2', 'e3'].map((id) => device.put(id))
  const [first = 0, second = 0] = (await device.push(...ops)).revisions(...ops)
  await device.push(
    device.put('e1', { v: 2 }, { entityVersion: first }),
    device.delete('e2', second),
  )
  return device
}

export const verifyRules: readonly Rule[] = [
  {
    id: 'verify/match',
    section: '14',
    holds: 'the digest of everything that a pull from 0 brings is answered with match: true',
    needs: ['digest'],
    check: async (bench) => {
      const { cursor, total } = await digestsOf(await edited(bench))
      const answer = await bench.api.call('verify', { dbId: bench.dbId, cursor, digest: total })
      expectEqual('answer', answer, { match: true })
    },
  },
  {
    id: 'verify/mismatch',
    section: '14',
    holds:
      'another digest is answered with match: false and the digest of each collection, empty ones omitted',
    needs: ['digest'],
    check: async (bench) => {
      const device = await edited(bench)
      const gone = bench.device()
      const revision = await gone.commit(gone.put('e1'))
      await gone.push(gone.delete('e1', revision))
      const { cursor, total, byCollection } = await digestsOf(device)
      const digest = addDigests(total, new Uint8Array(32).fill(1))
      const answer = await bench.api.call('verify', { dbId: bench.dbId, cursor, digest })
      expectEqual('match', answer.match, false)
      expectEqual('collections', { ...answer.collections }, { ...byCollection })
    },
  },
  {
    id: 'verify/moved',
    section: '14',
    holds: 'a cursor that is not the head is cursor_moved',
    needs: ['digest'],
    check: async (bench) => {
      const device = await edited(bench)
      const head = await device.head()
      for (const cursor of [head - 1, head + 1, 0]) {
        const request = { dbId: bench.dbId, cursor, digest: emptyDigest() }
        await bench.api.refused('verify', request, 'cursor_moved')
      }
    },
  },
  {
    id: 'verify/form',
    section: '14',
    holds: 'a digest of other than 32 bytes is invalid_request',
    needs: ['digest'],
    check: async (bench) => {
      const { api, dbId } = bench
      for (const length of [0, 31, 33]) {
        const request = { dbId, cursor: 0, digest: new Uint8Array(length) }
        await api.refused('verify', request, 'invalid_request')
      }
    },
  },
]
