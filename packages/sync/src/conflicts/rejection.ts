/** Groups of local edits that the server refused. */
import type { EntityRef } from '../entity-ref.ts'

/** An entity of a rejected group. */
export interface RejectedEntity extends EntityRef {
  /** Null for a member that nothing was said against. */
  readonly code: string | null
}

/** The edits are held: visible here, not sent, until they are edited or discarded. */
export interface Rejection extends EntityRef {
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
