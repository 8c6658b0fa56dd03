/** What the answer to a push says of each operation that was sent; refused where it does not fit them. */
import { EntiDBError } from '@entidb/core'
import type { Conflict, PushResponse, RejectedOp } from '@entidb/protocol'
import type { FrozenOp } from '../state/rows.ts'
import { contentOf, type FrozenContents } from './frozen-request.ts'

export interface SentRequest {
  readonly batch: number
  readonly ops: readonly FrozenOp[]
  readonly contents: FrozenContents
  /** The cursor and epoch it was sent with. */
  readonly cursor: number
}

/** What the server says of one operation. */
export type Answer =
  | { readonly revision: number }
  | { readonly conflict: Conflict }
  | { readonly rejection: RejectedOp }

export function isAccepted(
  answer: Answer | undefined,
): answer is Extract<Answer, { revision: number }> {
  return answer !== undefined && 'revision' in answer
}

/**
 * By opId. Every operation has one, except the accepted ones of a server that names no revisions.
 * Error: `invalid_response` when it answers something else.
 */
export function answersOf(
  { ops, contents }: SentRequest,
  response: PushResponse,
): ReadonlyMap<number, Answer> {
  const answers = new Map<number, Answer>()
  for (const { opId, entityVersion } of response.committed ?? []) {
    answers.set(opId, { revision: entityVersion })
  }
  for (const conflict of response.conflicts) answers.set(conflict.clientOp.opId, { conflict })
  for (const rejection of response.rejected ?? []) answers.set(rejection.opId, { rejection })
  const sent = new Map(ops.map((op) => [op.opId, op]))
  for (const opId of answers.keys())
    if (!sent.has(opId)) throw wrongAnswer('it was not asked', opId)
  for (const { clientOp, collection, entityId } of response.conflicts) {
    const op = sent.get(clientOp.opId)
    if (op?.collection !== collection || op.entityId !== entityId) {
      throw wrongAnswer('it names another entity for', clientOp.opId)
    }
  }
  assertRevisionsGiven(response)
  if (response.committed !== undefined) {
    for (const op of ops) {
      const answer = answers.get(op.opId)
      if (answer === undefined) throw wrongAnswer('it is silent on', op.opId)
      // Stored with none, an edit counts as sent for ever: no other epoch brings it up again.
      const isUnnamed = isAccepted(answer) && answer.revision === 0
      if (isUnnamed && contentOf(contents, op).payloadCbor !== null) {
        throw wrongAnswer('it names no revision for', op.opId)
      }
    }
  }
  return answers
}

/** One that the server has not given yet would be believed for ever. */
function assertRevisionsGiven({ committed = [], conflicts, head }: PushResponse): void {
  if (head === undefined) return
  for (const { opId, entityVersion } of committed) {
    if (entityVersion > head) throw wrongAnswer('it names a revision beyond the head for', opId)
  }
  for (const { clientOp, serverState } of conflicts) {
    if (serverState.entityVersion > head) {
      throw wrongAnswer('it names a revision beyond the head for', clientOp.opId)
    }
  }
}

export function wrongAnswer(what: string, opId: number): EntiDBError {
  return new EntiDBError('invalid_response', `The answer does not fit: ${what} operation ${opId}`, {
    details: { opId },
    retry: 'later',
  })
}
