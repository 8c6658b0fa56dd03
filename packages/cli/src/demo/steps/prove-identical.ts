/**
 * Step: the proof. Device A, device B and the server are read independently of each other and of sync:
 * the devices' stores through raw reads, the server by pulling its whole history with a plain client.
 */
import { type PullConnection, pullStates } from '../../network/pull-states.ts'
import type { CitiesDatabase } from '../city.ts'
import { digestOfStates, type EntityState, type StateDigest, StateHasher } from '../state-digest.ts'

const entriesMax = 1_000

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
    digests.push({ of: name, ...(await digestOfDevice(db)) })
  }
  digests.push({ of: 'server', ...digestOfStates(await statesOfServer(server)) })
  return { digests, identical: new Set(digests.map(({ sha256 }) => sha256)).size === 1 }
}

/** All collections, read in one transaction: one consistent state. Nothing is decoded. */
function digestOfDevice(db: CitiesDatabase): Promise<StateDigest> {
  return db.transaction(async ({ replica }) => {
    const hasher = new StateHasher()
    let page = await replica.scan({ entriesMax })
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      for (const { collection, entityId } of page) {
        const { bytes, version } = await replica.state(collection, entityId)
        if (bytes !== null) hasher.add({ collection, entityId, revision: version, bytes })
      }
      page = await replica.scan({ after: last, entriesMax })
    }
    return hasher.end()
  })
}

async function statesOfServer(server: PullConnection): Promise<readonly EntityState[]> {
  const operations = await pullStates(server)
  return [...operations.values()].flatMap(({ collection, entityId, entityVersion, entityCbor }) =>
    entityCbor === null
      ? []
      : [{ collection, entityId, revision: entityVersion, bytes: entityCbor }],
  )
}
