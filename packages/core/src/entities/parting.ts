/**
 * Where the server's history parted from the one that this database knew: revisions beyond `point` that were read up to
 * `stamp` name states that the server no longer has, and it may give the same numbers to other states.
 */
import type { Reader, WriteTransaction } from '../store/key-value-store.ts'
import type { EntityVersion } from './entity-version.ts'
import { META_KEYS, readMeta, writeMeta } from './meta.ts'
import type { Steps } from './steps.ts'

interface Parting {
  /** The last opId before it. */
  readonly stamp: number
  readonly point: number
}

export function* notePartingAt(tx: WriteTransaction, parting: Parting): Steps<void> {
  // An earlier one says no more where its point is not smaller.
  const kept = (yield* partingsOf(tx)).filter(({ point }) => point < parting.point)
  yield* writeMeta(tx, META_KEYS.partings, [...kept, parting])
}

/** Of what was known then: the revision that still names a state of the server, or that a state of it may have had. */
export function* revisionToday(
  reader: Pick<Reader, 'get'>,
  { revision, stamp }: EntityVersion,
): Steps<number> {
  const since = (yield* partingsOf(reader)).filter((parting) => parting.stamp >= stamp)
  return Math.min(revision, ...since.map(({ point }) => point))
}

function* partingsOf(reader: Pick<Reader, 'get'>): Steps<readonly Parting[]> {
  // Written by `notePartingAt`.
  return ((yield* readMeta(reader, META_KEYS.partings)) ?? []) as readonly Parting[]
}
