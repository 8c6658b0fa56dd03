/** The report for people: a table of rules, then each failure with what was sent and what came. */
import { renderTable } from '../output/text-table.ts'
import type { ConformanceReport } from './run-conformance.ts'
import type { RuleResult } from './run-rules.ts'

export interface ResultCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export function countsOf(results: readonly RuleResult[]): ResultCounts {
  const count = (wanted: RuleResult['result']): number =>
    results.filter(({ result }) => result === wanted).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
}

export function conformanceText({ results, deleted }: ConformanceReport, colours: boolean): string {
  const rows = results.map((result) => [
    result.section,
    result.id,
    wrapped(result.holds),
    wrapped(resultText(result), RESULT_CHARS_MAX),
  ])
  const { passed, failed, skipped } = countsOf(results)
  return [
    renderTable({ head: ['section', 'rule', 'what must hold', 'result'], rows }, colours),
    ...results.flatMap(failureText),
    `${passed} passed, ${failed} failed, ${skipped} skipped; ${deleted} entities written and deleted again`,
  ].join('\n')
}

function resultText(result: RuleResult): string {
  if (result.result === 'failed') return 'FAILED'
  return result.result === 'skipped' ? `skipped: ${result.reason}` : 'passed'
}

function failureText(result: RuleResult): string[] {
  if (result.result !== 'failed') return []
  const { sent, expected, came } = result.failure
  return [
    `\nFAILED ${result.id} (section ${result.section}): ${result.holds}`,
    `  sent      ${sent}`,
    `  expected  ${expected}`,
    `  came      ${came}\n`,
  ]
}

const HOLDS_CHARS_MAX = 76
const RESULT_CHARS_MAX = 30

/** Lines of at most so many characters, broken at spaces. */
function wrapped(text: string, charsMax = HOLDS_CHARS_MAX): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > charsMax) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines.join('\n')
}
