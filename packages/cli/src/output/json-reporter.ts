/** The reporter for programs: one JSON object per line on stdout, nothing else. */
import type { TextOutput } from '../cli/cli-environment.ts'
import type { Reporter } from './reporter.ts'

export function createJsonReporter(stdout: TextOutput): Reporter {
  const fact = (event: string, facts: Readonly<Record<string, unknown>>): void =>
    stdout.write(`${JSON.stringify({ event, ...facts })}\n`)
  return {
    note: () => {},
    warn: (message) => fact('warning', { message }),
    table: () => {},
    fact,
    progress: () => ({ update: () => {}, end: () => {} }),
  }
}
