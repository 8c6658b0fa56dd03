/** `entidb restore`: a database of a backup. */
import { resolve } from 'node:path'
import { restoreBackup } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { backupSource } from '../maintenance/backup-source.ts'
import { makeInDirectory } from '../maintenance/new-directory.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'
import { formatBytes } from '../output/units.ts'

export const restoreCommand: CliCommand = {
  summary: 'Make a database of a backup; checks it first and overwrites nothing',
  options: {
    source: {
      type: 'positional',
      required: true,
      description: 'Directory or file that backup made; - for stdin',
    },
    dir: { type: 'positional', required: true, description: 'New or empty directory' },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const source = backupSource(args.text('source'), environment)
    const directory = resolve(args.text('dir'))
    const output = createCommandOutput(args, environment)
    const { bytes } = await showing(output.progress('restore', formatBytes), (progress) =>
      makeInDirectory(directory, () =>
        restoreBackup(source.pieces(), fileStorage(directory), {
          signal: environment.stop,
          onProgress: ({ doneBytes }) => progress.update(doneBytes, source.bytes ?? doneBytes),
        }),
      ),
    )
    output.result(
      { source: source.path, directory, bytes },
      () => `${formatBytes(bytes)} restored to ${directory}`,
    )
    return EXIT_OK
  },
}
