/** `entidb serve`: the sync server for as long as the process lives. */
import type { CliCommand } from '../cli/cli-command.ts'
import { createReporter } from '../output/create-reporter.ts'
import { runServer } from '../serve/run-server.ts'
import { parseServeOptions } from '../serve/serve-options.ts'
import { serveOptionsDefinition } from '../serve/serve-options-definition.ts'

export const serveCommand: CliCommand = {
  summary: 'Run a sync server until it is stopped',
  options: serveOptionsDefinition,
  async run(args, environment) {
    const options = await parseServeOptions(args, environment.env)
    return runServer(options, environment, createReporter(args, environment))
  },
}
