/** Runs rules one after the other against a server; whatever happens to one, the others are run. */
import type { Bench } from './bench.ts'
import { RuleFailure, RuleSkipped } from './expectations.ts'
import type { Need, Rule } from './rule.ts'

export type RuleResult = {
  readonly id: string
  readonly section: string
  readonly holds: string
} & (
  | { readonly result: 'passed' }
  | { readonly result: 'skipped'; readonly reason: string }
  | { readonly result: 'failed'; readonly failure: FailureReport }
)

export interface FailureReport {
  /** The last request of the rule. */
  readonly sent: string
  readonly expected: string
  readonly came: string
}

/** Yields each result as soon as it is there. Ends early when `stop` is aborted. */
export async function* runRules(
  rules: readonly Rule[],
  bench: Bench,
  stop: AbortSignal,
): AsyncGenerator<RuleResult> {
  let isGone = false
  for (const rule of rules) {
    if (stop.aborted) return
    const result = isGone ? skippedRule(rule) : await runRule(rule, bench)
    yield result
    // Each of the others would wait for an answer in vain, half a minute long.
    if (result.result === 'failed') isGone = !bench.log.isAnswered && !(await bench.isAnswering())
  }
}

function skippedRule({ id, section, holds }: Rule): RuleResult {
  return { id, section, holds, result: 'skipped', reason: 'the server answers no more' }
}

async function runRule(rule: Rule, bench: Bench): Promise<RuleResult> {
  const { id, section, holds } = rule
  const named = { id, section, holds }
  try {
    for (const need of rule.needs ?? []) assertThere(need, bench)
    await rule.check(bench)
    return { ...named, result: 'passed' }
  } catch (error) {
    if (error instanceof RuleSkipped) return { ...named, result: 'skipped', reason: error.message }
    if (!(error instanceof RuleFailure)) throw error
    const { expected, came } = error
    return { ...named, result: 'failed', failure: { sent: bench.log.last(), expected, came } }
  }
}

function assertThere(need: Need, bench: Bench): void {
  if (need === 'readerToken' || need === 'otherDatabase') bench.given(need)
  else if (need === 'extensions') {
    if (!bench.knowsExtensions) bench.skip('the server names no protocol: it knows no extensions')
  } else if (bench.announced.capabilities[need] !== true) {
    throw new RuleSkipped(`the server does not announce the capability ${need}`)
  }
}
