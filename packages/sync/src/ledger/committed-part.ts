/** A transaction that is sent in parts is one entry of the ledger: what each part wrote is put together. Pure. */
import { type EntityRef, entityKey } from '../entity-ref.ts'
import { type CommittedPart, type FrozenOp, WRITTEN_NAMED_MAX } from '../state/rows.ts'
import { writtenEntities } from './written-entities.ts'

/** An operation that the server accepted; null: it named no revision. */
export interface CommittedOperation {
  readonly op: FrozenOp
  readonly revision: number | null
}

/** `size` is how many there are, of which `operations` may be the first. */
export function committedPart(
  operations: readonly CommittedOperation[],
  size: number = operations.length,
): CommittedPart {
  const named = operations.slice(0, WRITTEN_NAMED_MAX)
  return {
    written: { keys: named.map(({ op }) => entityKey(op)), size },
    versions: named.map(({ revision }) => revision),
  }
}

/** What is held has no revisions. */
export function heldPart(refs: readonly EntityRef[]): CommittedPart {
  const written = writtenEntities(refs.map(entityKey))
  return { written, versions: written.keys.map(() => null) }
}

/** In the order of the parts; none before: the part alone. */
export function joinParts(before: CommittedPart | undefined, part: CommittedPart): CommittedPart {
  if (before === undefined) return part
  const { written, versions } = part
  return {
    written: {
      keys: [...before.written.keys, ...written.keys].slice(0, WRITTEN_NAMED_MAX),
      size: before.written.size + written.size,
    },
    versions: [...before.versions, ...versions].slice(0, WRITTEN_NAMED_MAX),
  }
}
