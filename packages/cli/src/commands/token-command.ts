/** `entidb token`: a new random access token. */
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { createToken } from '../secrets/token.ts'

export const tokenCommand: CliCommand = {
  summary: 'Print a new random access token (256 bits)',
  options: { json: { type: 'boolean', description: 'Print JSON' } },
  async run(args, { stdout }) {
    const token = createToken()
    stdout.write(`${args.flag('json') ? JSON.stringify({ token }) : token}\n`)
    return EXIT_OK
  },
}
