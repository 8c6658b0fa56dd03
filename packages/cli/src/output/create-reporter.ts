import type { CliEnvironment } from '../cli/cli-environment.ts'
import type { CommandArguments } from '../cli/command-arguments.ts'
import { createJsonReporter } from './json-reporter.ts'
import type { Reporter } from './reporter.ts'
import { createTextReporter } from './text-reporter.ts'

/** JSON lines when the command was given `--json`, else text. */
export function createReporter(args: CommandArguments, environment: CliEnvironment): Reporter {
  return args.flag('json')
    ? createJsonReporter(environment.stdout)
    : createTextReporter(environment.stdout, environment.now)
}
