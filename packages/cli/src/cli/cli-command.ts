import type { ArgsDef } from 'citty'
import type { CliEnvironment } from './cli-environment.ts'
import type { CommandArguments } from './command-arguments.ts'

/** One command of `entidb`: what its help says, what it accepts, what it does. */
export interface CliCommand {
  readonly summary: string
  readonly options: ArgsDef
  /** Resolves to the exit code. What it throws is printed and ends with `EXIT_FAILED` or `EXIT_USAGE`. */
  run(args: CommandArguments, environment: CliEnvironment): Promise<number>
}
