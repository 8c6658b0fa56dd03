/**
 * What a command that answers once says: its result on stdout, as one JSON object or as text; how far it is
 * on stderr, so that the result can be piped.
 */
import type { CliEnvironment, TextOutput } from '../cli/cli-environment.ts'
import type { CommandArguments } from '../cli/command-arguments.ts'
import type { NumberFormat, ProgressReport } from './reporter.ts'
import { createTextReporter } from './text-reporter.ts'

export interface CommandOutput {
  /** Nothing is shown to programs. */
  progress(title: string, format?: NumberFormat): ProgressReport
  /** `text` is not asked for with `--json`. */
  result(facts: object, text: () => string): void
}

/** `output`: where the result goes, if not to stdout. */
export function createCommandOutput(
  args: CommandArguments,
  { stdout, stderr, now }: CliEnvironment,
  output: TextOutput = stdout,
): CommandOutput {
  const isJson = args.flag('json')
  const reporter = createTextReporter(stderr, now)
  return {
    progress: (title, format) =>
      isJson ? { update: () => {}, end: () => {} } : reporter.progress(title, format),
    result: (facts, text) => output.write(`${isJson ? JSON.stringify(facts) : text()}\n`),
  }
}

/** The progress is ended however `work` ends. */
export async function showing<T>(
  progress: ProgressReport,
  work: (progress: ProgressReport) => Promise<T>,
): Promise<T> {
  try {
    return await work(progress)
  } finally {
    progress.end()
  }
}
