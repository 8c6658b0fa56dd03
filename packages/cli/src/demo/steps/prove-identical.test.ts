import { memoryStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { encodePullResponse, type SyncOperation } from '@entidb/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PullConnection } from '../../network/pull-states.ts'
import { type CitiesDatabase, type City, openCitiesDatabase } from '../city.ts'
import { proveIdentical } from './prove-identical.ts'

const city = (id: string, population: number): City => ({
  id,
  name: id,
  country: 'AD',
  population,
  location: { lat: 1, lon: 2 },
  featureCode: 'PPL',
  adminCode: '01',
})

let databases: { name: string; db: CitiesDatabase }[]

beforeEach(async () => {
  databases = []
  for (const name of ['a', 'b']) {
    databases.push({ name, db: await openCitiesDatabase(memoryStorage()) })
  }
})

afterEach(async () => {
  for (const { db } of databases) await db.close()
})

function operation(cursor: number, entityId: string, population: number | null): SyncOperation {
  return {
    opId: cursor,
    dbId: 'cities',
    deviceId: 'x',
    collection: 'cities',
    entityId,
    opType: population === null ? 'DELETE' : 'PUT',
    entityVersion: cursor,
    entityCbor: population === null ? null : encodeEntity(city(entityId, population)),
  }
}

/** A server that has these operations, two to a page. */
function serverOf(operations: readonly SyncOperation[]): PullConnection {
  let sent = 0
  const fetch = async (): Promise<Response> => {
    const ops = operations.slice(sent, sent + 2)
    sent += ops.length
    const nextCursor = ops.at(-1)?.entityVersion ?? 0
    const body = encodePullResponse({ ops, nextCursor, hasMore: sent < operations.length })
    return new Response(new Uint8Array(body))
  }
  return { serverUrl: new URL('https://sync.test'), dbId: 'cities', token: 't', fetch }
}

async function receive(db: CitiesDatabase, operations: readonly SyncOperation[]): Promise<void> {
  await db.transaction(async ({ replica }) => {
    for (const { collection, entityId, entityVersion: version, entityCbor: bytes } of operations) {
      await replica.applyRaw({ collection, entityId, version, bytes, schemaVersion: 1 })
    }
  })
}

const history = [
  operation(1, 'c', 5),
  operation(2, 'a', 6),
  operation(3, 'c', 7),
  operation(4, 'b', 8),
  operation(5, 'b', null),
]

describe('proof', () => {
  test('identical: all hold the newest states -> one digest, deletes are not counted', async () => {
    for (const { db } of databases) await receive(db, history)
    const proof = await proveIdentical(databases, serverOf(history), new AbortController().signal)
    expect(proof.identical).toBe(true)
    expect(proof.digests.map(({ of, entities }) => [of, entities])).toEqual([
      ['a', 2],
      ['b', 2],
      ['server', 2],
    ])
  })

  test('difference: an edit on one device that nobody else has -> not identical', async () => {
    for (const { db } of databases) await receive(db, history)
    await databases[1]?.db.collection('cities').put(city('c', 8))
    const proof = await proveIdentical(databases, serverOf(history), new AbortController().signal)
    expect(proof.identical).toBe(false)
  })

  test('difference: the same bytes at another revision -> not identical', async () => {
    for (const { db } of databases) await receive(db, history)
    const other = [...history, operation(6, 'c', 7)]
    const proof = await proveIdentical(databases, serverOf(other), new AbortController().signal)
    expect(proof.identical).toBe(false)
  })
})
