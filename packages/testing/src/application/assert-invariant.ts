/** What the application itself demands of the server's entities. */
import { Violation } from '../oracle/violation.ts'
import type { Application, ServerEntities } from './application.ts'

/** @throws Violation with what the invariant says; TypeError when it says nothing that can be told. */
export function assertInvariant(application: Application, entities: ServerEntities): void {
  const problem: unknown = application.invariant?.(entities)
  if (problem === undefined) return
  if (typeof problem === 'string') throw new Violation(problem)
  // Also a promise: by the time it said something, the next commit would be there.
  throw new TypeError(`invariant answers a text or undefined, at once, not ${String(problem)}`)
}
