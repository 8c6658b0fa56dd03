/** One run of rules against one server: from the first handshake to the last deleted entity. */
import { Bench, type BenchOptions } from './bench.ts'
import { cleanUp } from './clean-up.ts'
import { RuleFailure } from './expectations.ts'
import type { Rule } from './rule.ts'
import { type RuleResult, runRules } from './run-rules.ts'

export interface ConformanceReport {
  readonly results: readonly RuleResult[]
  /** Entities that the run had written and deleted at its end. */
  readonly deleted: number
  /** Why the server has still got some. */
  readonly notDeleted?: string
}

/**
 * Runs the rules one after the other and deletes what they wrote, also when `stop` ends them early. Errors:
 * `RuleFailure` when the server cannot even shake hands.
 */
export async function runConformance(
  rules: readonly Rule[],
  options: BenchOptions,
  stop: AbortSignal,
  onResult: (result: RuleResult, done: number) => void = () => {},
): Promise<ConformanceReport> {
  const bench = await Bench.open(options)
  const results: RuleResult[] = []
  for await (const result of runRules(rules, bench, stop)) {
    results.push(result)
    onResult(result, results.length)
  }
  try {
    return { results, deleted: await cleanUp(bench, bench.announced.serverCursor) }
  } catch (error) {
    if (!(error instanceof RuleFailure)) throw error
    return { results, deleted: 0, notDeleted: error.message }
  }
}
