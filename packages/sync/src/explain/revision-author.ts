/** Who made a revision: asked of this device's ledger first, then of the server. */
import { isEntiDBError } from '@entidb/core'
import type { EntityRef } from '../entity-ref.ts'
import { entityKey } from '../entity-ref.ts'
import type { LedgerEntry } from '../ledger/ledger-types.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { HttpTransport } from '../transport/http-transport.ts'
import type { RevisionAuthor } from './explanation.ts'

export interface AuthorAnswer {
  readonly author: RevisionAuthor | null
  readonly authorUnknown: string | null
}

const NOBODY: AuthorAnswer = { author: null, authorUnknown: null }

export async function authorOf(
  ref: EntityRef,
  revision: number,
  transactions: readonly LedgerEntry[],
  { store, transport }: { readonly store: SyncStore; readonly transport: HttpTransport },
  signal: AbortSignal,
): Promise<AuthorAnswer> {
  if (revision === 0) return NOBODY
  const own = transactions.some(({ fate, entities }) =>
    entities.some(
      (each) =>
        fate === 'committed' &&
        each.entityVersion === revision &&
        entityKey(each) === entityKey(ref),
    ),
  )
  const { dbId, epoch, deviceId } = store.state
  try {
    const page = await transport.pull(
      { dbId, sinceCursor: revision - 1, limit: 1, ...(epoch === null ? {} : { epoch }) },
      signal,
    )
    const op = page.ops.find(
      (each) => each.entityVersion === revision && entityKey(each) === entityKey(ref),
    )
    if (op !== undefined) {
      const { opId, timestampMs = null } = op
      // It may have had another name then.
      const isThisDevice = own || op.deviceId === deviceId
      const known = { deviceId: op.deviceId, isThisDevice, opId, timestampMs }
      return { author: { ...known, source: 'server' }, authorUnknown: null }
    }
    // A newer operation on the entity has taken its place.
    return own ? ownAuthor(deviceId) : { author: null, authorUnknown: 'not_found' }
  } catch (error) {
    if (!isEntiDBError(error)) throw error
    return own ? ownAuthor(deviceId) : { author: null, authorUnknown: error.code }
  }
}

function ownAuthor(deviceId: string): AuthorAnswer {
  const author = { deviceId, isThisDevice: true, opId: null, timestampMs: null } as const
  return { author: { ...author, source: 'ledger' }, authorUnknown: null }
}
