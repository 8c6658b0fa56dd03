import type { Fault } from './faulty-server.test-kit.ts'

/** A fault of servers, with the rules that notice it and no others. */
export interface KnownFault {
  readonly name: string
  /** Anew for each run: a fault may remember what it saw. */
  readonly createFault: () => Fault
  readonly fails: readonly string[]
}
