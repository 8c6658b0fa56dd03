/** Groups of local edits that the server refused. */
import { type EntityRef, entityKey, entityRef } from '../entity-ref.ts'
import { editsDigest, type GroupView } from './group-view.ts'

/** An entity of a rejected group. */
export interface RejectedEntity extends EntityRef {
  /** Null for a member that nothing was said against. */
  readonly code: string | null
}

/** The edits are held: visible here, not sent, until they are edited or discarded. */
export interface Rejection extends EntityRef {
  /** Names the local edits of the whole group: another one when an entity joined or left it, or was edited. */
  readonly id: string
  /** Why the entity named here was refused; the rest of the group went with it. */
  readonly code: string
  readonly message: string
  /** No answer named these operations: they may have been accepted all the same. */
  readonly outcomeUnknown: boolean
  readonly group: readonly RejectedEntity[]
  /** Milliseconds since 1970. */
  readonly since: number
}

/** Names the edits that are given up with the group in which `ref` was refused. */
export function rejectionId(view: GroupView, ref: EntityRef): string {
  return `${editsDigest(view)}:${entityKey(ref)}`
}

/** The entity that was refused; undefined for text that is no id of a rejection. */
export function entityOfRejectionId(id: string): EntityRef | undefined {
  const match = /^[0-9a-f]+:([^/]+\/.+)$/s.exec(id)
  return match?.[1] === undefined ? undefined : entityRef(match[1])
}
