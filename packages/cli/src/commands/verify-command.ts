/** `entidb verify`: whether a database is whole. */
import { resolve } from 'node:path'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK, EXIT_PROBLEMS } from '../cli/exit-codes.ts'
import { verificationText, verifyDirectory } from '../maintenance/verification.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'

export const verifyCommand: CliCommand = {
  summary: 'Check every checksum, entity and index of a database; changes nothing',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const output = createCommandOutput(args, environment)
    // Twice from beginning to end: the files, then what is in them.
    const verification = await showing(output.progress('verify'), (progress) =>
      verifyDirectory(
        directory,
        ({ done, total }) => progress.update(done, total),
        environment.stop,
      ),
    )
    output.result(verification, () => verificationText(verification))
    return verification.ok ? EXIT_OK : EXIT_PROBLEMS
  },
}
