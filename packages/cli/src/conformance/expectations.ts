/** How a rule says that it does not hold, or that it cannot be asked here. */
import { textOf } from './diagnostic.ts'

/** The rule does not hold: what it wants, and what came instead. */
export class RuleFailure extends Error {
  override readonly name = 'RuleFailure'
  readonly expected: string
  readonly came: string

  constructor(expected: string, came: string) {
    super(`expected ${expected}, came ${came}`)
    this.expected = expected
    this.came = came
  }
}

/** The server cannot be reached, or breaks off. */
export class NoAnswer extends RuleFailure {}

/** The rule cannot be asked of this server, and why. */
export class RuleSkipped extends Error {
  override readonly name = 'RuleSkipped'
}

/** `what`: the thing that is compared, as it is to be called in a report. */
export function expectEqual(what: string, came: unknown, expected: unknown): void {
  const [left, right] = [textOf(came), textOf(expected)]
  if (left !== right) throw new RuleFailure(`${what}: ${right}`, left)
}

/** `what`: a sentence that has to hold; `came`: what speaks against it. */
export function expectThat(holds: boolean, what: string, came: unknown): void {
  if (!holds) throw new RuleFailure(what, textOf(came))
}

/** Runs the same check of several inputs; a failure says of which. */
export async function forEachCase<T>(
  cases: Readonly<Record<string, T>>,
  check: (value: T, name: string) => Promise<void>,
): Promise<void> {
  for (const [name, value] of Object.entries(cases)) {
    try {
      await check(value, name)
    } catch (error) {
      if (!(error instanceof RuleFailure)) throw error
      throw new RuleFailure(`with ${name}: ${error.expected}`, error.came)
    }
  }
}
