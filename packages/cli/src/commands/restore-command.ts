/** `entidb restore`: a database of a backup. */
import { resolve } from 'node:path'
import { EntiDBError, isEntiDBError, restoreBackup } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { beginNewEpoch } from '@entidb/server'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { withStoredDatabase } from '../data/stored-database.ts'
import { backupSource } from '../maintenance/backup-source.ts'
import { makeInDirectory } from '../maintenance/new-directory.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'
import { formatBytes } from '../output/units.ts'
import { isServerDatabase } from '../server-data/server-database.ts'

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
    const epoch = (await isOfServer(directory)) ? await newEpochOf(directory) : undefined
    output.result(
      { source: source.path, directory, bytes, ...(epoch === undefined ? {} : { epoch }) },
      () =>
        [
          `${formatBytes(bytes)} restored to ${directory}`,
          ...(epoch === undefined
            ? []
            : [`A new epoch of the server database has begun: ${epoch}`]),
        ].join('\n'),
    )
    return EXIT_OK
  },
}

/** What is restored is whole all the same, and need not be restored again. */
async function newEpochOf(directory: string): Promise<string> {
  try {
    return (await beginNewEpoch(fileStorage(directory))).epoch
  } catch (error) {
    if (!isEntiDBError(error)) throw error
    throw new EntiDBError(
      error.code,
      `${directory} is restored, but no new epoch has begun: ${error.message} When that is mended: entidb new-epoch ${directory}`,
      { cause: error, details: error.details },
    )
  }
}

/** Stores that no application has opened as a database can be restored too. */
async function isOfServer(directory: string): Promise<boolean> {
  try {
    return await withStoredDatabase(directory, { readOnly: true }, async (db) =>
      isServerDatabase(db),
    )
  } catch (error) {
    if (isEntiDBError(error, 'not_a_database')) return false
    throw error
  }
}
