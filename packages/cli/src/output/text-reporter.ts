/** The reporter for people: plain lines and tables; bars on a terminal, occasional lines elsewhere. */
import type { TextOutput } from '../cli/cli-environment.ts'
import { createBarProgress, createLineProgress } from './progress-reports.ts'
import type { ProgressReport, Reporter, ReportTable } from './reporter.ts'
import { renderTable } from './text-table.ts'

export function createTextReporter(stdout: TextOutput, now: () => number): Reporter {
  const line = (text: string): void => stdout.write(`${text}\n`)
  return {
    note: line,
    warn: (text) => line(`! ${text}`),
    table: (table: ReportTable) => line(renderTable(table, stdout.terminal !== undefined)),
    fact: () => {},
    progress: (title, format): ProgressReport =>
      stdout.terminal === undefined
        ? createLineProgress(title, line, now, format)
        : createBarProgress(title, stdout.terminal, format),
  }
}
