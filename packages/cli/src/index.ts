/** The `entidb` command line as a function, for programs that embed it. */
export type { CliEnvironment, TextOutput } from './cli/cli-environment.ts'
export { EXIT_FAILED, EXIT_KILLED, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE } from './cli/exit-codes.ts'
export { runCli } from './cli/run-cli.ts'
