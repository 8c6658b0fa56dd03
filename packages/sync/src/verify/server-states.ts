/** Everything the server has, pulled from the beginning without applying it. */
import { EntiDBError } from '@entidb/core'
import type { SyncOperation } from '@entidb/protocol'
import type { SyncContext } from '../cycle/sync-context.ts'
import { PullPatience } from '../pull/patience.ts'
import { assertFits } from '../pull/snapshot-place.ts'

/** Where the server's states come from. */
export type ServerSource = Pick<
  SyncContext,
  'store' | 'transport' | 'replicaId' | 'capabilities' | 'limits' | 'turn'
>

/** Operations handed out at a time: what is done with each may take microseconds. */
const STEP_OPS = 200

/**
 * The operations on `collections`, in cursor order up to the head. Of an entity several may come; the last
 * counts. A server that cannot filter sends everything, which is filtered here. Error: `invalid_response` for what is
 * not all of it: who compares would take the rest for deleted.
 */
export async function* serverOperations(
  source: ServerSource,
  collections: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<readonly SyncOperation[]> {
  const { store, transport, replicaId, capabilities, limits, turn } = source
  const { dbId, deviceId, epoch, cursor } = store.state
  const patience = new PullPatience()
  const request = {
    dbId,
    deviceId,
    replicaId,
    ...(epoch === null ? {} : { epoch }),
    ...(capabilities?.collections === true ? { collections: [...collections] } : {}),
  }
  for (let sinceCursor = 0; ; ) {
    const page = await transport.pull({ ...request, sinceCursor }, signal)
    assertFits(page, sinceCursor, { dbId, snapshot: undefined })
    if (!page.hasMore && page.nextCursor < cursor) throw endsTooSoon()
    const wanted = page.ops.filter(({ collection }) => collections.has(collection))
    for (let at = 0; at < wanted.length; at += STEP_OPS) {
      yield wanted.slice(at, at + STEP_OPS)
      await turn()
    }
    if (!page.hasMore) return
    patience.look({
      broughtSomething: page.ops.length > 0,
      hasMore: true,
      cursors: page.nextCursor - sinceCursor,
      maxPullOps: limits.maxPullOps,
    })
    sinceCursor = page.nextCursor
  }
}

function endsTooSoon(): EntiDBError {
  return new EntiDBError('invalid_response', 'The server has less than it has sent before', {
    retry: 'later',
  })
}
