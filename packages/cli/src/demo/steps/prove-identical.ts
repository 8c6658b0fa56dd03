/**
 * Step: the proof. Device A, device B and the server are read independently of each other and of sync:
 * the devices' stores through raw reads, the server by pulling its whole history with a plain client.
 */
import { type PullConnection, pullStates } from '../../network/pull-states.ts'
import type { CitiesDatabase } from '../city.ts'
import { digestOfStates, type EntityState, type StateDigest } from '../state-digest.ts'

export interface Proof {
  readonly digests: readonly (StateDigest & { readonly of: string })[]
  readonly identical: boolean
}

export async function proveIdentical(
  databases: readonly { readonly name: string; readonly db: CitiesDatabase }[],
  server: PullConnection,
  stop: AbortSignal,
): Promise<Proof> {
  const digests: (StateDigest & { of: string })[] = []
  for (const { name, db } of databases) {
    stop.throwIfAborted()
    digests.push({ of: name, ...digestOfStates(await statesOfDevice(db)) })
  }
  digests.push({ of: 'server', ...digestOfStates(await statesOfServer(server)) })
  return { digests, identical: new Set(digests.map(({ sha256 }) => sha256)).size === 1 }
}

/** One consistent state: writers may go on meanwhile. */
async function statesOfDevice(db: CitiesDatabase): Promise<readonly EntityState[]> {
  const collection = 'cities'
  const snapshot = db.snapshot()
  try {
    const cities = snapshot.collection(collection)
    const states: EntityState[] = []
    for await (const { id } of cities.scan({})) {
      const raw = await cities.getRaw(id)
      if (raw === undefined) throw new Error(`${id} is listed but cannot be read`)
      states.push({ collection, entityId: id, revision: raw.version, bytes: raw.bytes })
    }
    return states
  } finally {
    snapshot.release()
  }
}

async function statesOfServer(server: PullConnection): Promise<readonly EntityState[]> {
  const operations = await pullStates(server)
  return [...operations.values()].flatMap(({ collection, entityId, entityVersion, entityCbor }) =>
    entityCbor === null
      ? []
      : [{ collection, entityId, revision: entityVersion, bytes: entityCbor }],
  )
}
