/** `entidb salvage`: what can still be read of a damaged database. */
import { resolve } from 'node:path'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK, EXIT_PROBLEMS } from '../cli/exit-codes.ts'
import { assertDatabaseDirectory } from '../inspect/find-database.ts'
import { salvageDirectory, salvageText } from '../maintenance/salvaged-directory.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'

export const salvageCommand: CliCommand = {
  summary: 'Copy everything readable out of a damaged database into a new one; lists what is lost',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of the damaged database' },
    target: { type: 'positional', required: true, description: 'New or empty directory' },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const target = resolve(args.text('target'))
    await assertDatabaseDirectory(directory)
    const output = createCommandOutput(args, environment)
    const report = await showing(output.progress('salvage'), (progress) =>
      salvageDirectory(
        directory,
        target,
        ({ done, total }) => progress.update(done, total),
        environment.stop,
      ),
    )
    output.result({ directory, target, ...report }, () => salvageText(directory, target, report))
    return report.ok ? EXIT_OK : EXIT_PROBLEMS
  },
}
