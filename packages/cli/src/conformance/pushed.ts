/** The answer to a push, asked about single operations. */
import type { PushResponse, ServerState } from '@entidb/protocol'
import { expectEqual, RuleFailure, RuleSkipped } from './expectations.ts'

export type Outcome = 'committed' | 'conflict' | 'rejected' | 'missing'

interface Named {
  readonly opId: number
}

export class Pushed {
  readonly answer: PushResponse

  constructor(answer: PushResponse) {
    this.answer = answer
  }

  outcomeOf({ opId }: Named): Outcome {
    const { conflicts, committed, rejected } = this.answer
    if (conflicts.some(({ clientOp }) => clientOp.opId === opId)) return 'conflict'
    if (rejected?.some((op) => op.opId === opId)) return 'rejected'
    // A server that sends no `committed` has decided what is not in the other lists.
    if (committed === undefined || committed.some((op) => op.opId === opId)) return 'committed'
    return 'missing'
  }

  outcomes(...ops: readonly Named[]): Outcome[] {
    return ops.map((op) => this.outcomeOf(op))
  }

  expectCommitted(...ops: readonly Named[]): void {
    const committed: readonly Outcome[] = ops.map(() => 'committed')
    expectEqual('outcomes', this.outcomes(...ops), committed)
  }

  /** `committed`, the reason of a conflict, the code of a rejection, or `missing`. */
  reasons(...ops: readonly Named[]): string[] {
    const { conflicts, rejected } = this.answer
    return ops.map(
      (op) =>
        conflicts.find(({ clientOp }) => clientOp.opId === op.opId)?.reason ??
        rejected?.find(({ opId }) => opId === op.opId)?.code ??
        this.outcomeOf(op),
    )
  }

  /** The revision that `committed` names. */
  revisionOf({ opId }: Named): number {
    const { committed } = this.answer
    if (committed === undefined) throw new RuleSkipped('the server sends no committed')
    const found = committed.find((op) => op.opId === opId)
    if (found !== undefined) return found.entityVersion
    throw new RuleFailure(`operation ${opId} in committed`, this.outcomeOf({ opId }))
  }

  revisions(...ops: readonly Named[]): number[] {
    return ops.map((op) => this.revisionOf(op))
  }

  stateOf({ opId }: Named): ServerState {
    const conflict = this.answer.conflicts.find(({ clientOp }) => clientOp.opId === opId)
    if (conflict !== undefined) return conflict.serverState
    throw new RuleFailure(`operation ${opId} in conflicts`, this.outcomeOf({ opId }))
  }

  get head(): number {
    return known(this.answer.head, 'head')
  }

  get headBefore(): number {
    return known(this.answer.headBefore, 'headBefore')
  }
}

export function known<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new RuleSkipped(`the server sends no ${name}`)
  return value
}
