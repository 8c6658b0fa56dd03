/** Everything the server has, pulled from the beginning without applying it. */
import type { SyncOperation } from '@entidb/protocol'
import type { SyncContext } from '../cycle/sync-context.ts'

/** Where the server's states come from. */
export type ServerSource = Pick<
  SyncContext,
  'store' | 'transport' | 'replicaId' | 'capabilities' | 'turn'
>

/** Operations handed out at a time: what is done with each may take microseconds. */
const STEP_OPS = 200

/**
 * The operations on `collections`, in cursor order up to the head. Of an entity several may come; the last
 * counts. A server that cannot filter sends everything, which is filtered here.
 */
export async function* serverOperations(
  source: ServerSource,
  collections: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<readonly SyncOperation[]> {
  const { store, transport, replicaId, capabilities, turn } = source
  const { dbId, deviceId, epoch } = store.state
  const request = {
    dbId,
    deviceId,
    replicaId,
    ...(epoch === null ? {} : { epoch }),
    ...(capabilities?.collections === true ? { collections: [...collections] } : {}),
  }
  for (let sinceCursor = 0; ; ) {
    const page = await transport.pull({ ...request, sinceCursor }, signal)
    const wanted = page.ops.filter(({ collection }) => collections.has(collection))
    for (let at = 0; at < wanted.length; at += STEP_OPS) {
      yield wanted.slice(at, at + STEP_OPS)
      await turn()
    }
    // A page that leads nowhere would be asked for for ever.
    if (!page.hasMore || page.nextCursor <= sinceCursor) return
    sinceCursor = page.nextCursor
  }
}
