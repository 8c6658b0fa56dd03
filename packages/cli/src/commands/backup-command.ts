/** `entidb backup`: a consistent copy of a database. */
import { resolve } from 'node:path'
import { backUpStore } from '@entidb/core'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { backupTarget } from '../maintenance/backup-target.ts'
import { withStore } from '../maintenance/with-store.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'
import { formatBytes } from '../output/units.ts'

export const backupCommand: CliCommand = {
  summary: 'Copy a database to a new directory, to one file, or to stdout',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    target: {
      type: 'positional',
      required: true,
      description: 'New or empty directory; a new file, when it ends in .entidb; - for stdout',
    },
    file: { type: 'boolean', description: 'The target is a file, whatever its name' },
    json: { type: 'boolean', description: 'Print one JSON object (on stderr when TARGET is -)' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const target = backupTarget(args.text('target'), args.flag('file'), environment)
    const isOnStdout = target.kind === 'stdout'
    const output = createCommandOutput(
      args,
      environment,
      isOnStdout ? environment.stderr : undefined,
    )
    const { bytes } = await showing(output.progress('backup', formatBytes), (progress) =>
      withStore(directory, { readOnly: false }, (store) =>
        target.take((place) =>
          backUpStore(store, place, {
            signal: environment.stop,
            onProgress: ({ doneBytes, totalBytes }) => progress.update(doneBytes, totalBytes),
          }),
        ),
      ),
    )
    output.result(
      { directory, target: target.path, kind: target.kind, bytes },
      () =>
        `${formatBytes(bytes)} of ${directory} copied to ${isOnStdout ? 'stdout' : target.path}`,
    )
    return EXIT_OK
  },
}
