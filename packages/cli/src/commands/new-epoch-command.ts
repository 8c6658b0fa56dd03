/** `entidb new-epoch`: tells devices that a server database may have lost something. */
import { resolve } from 'node:path'
import { fileStorage } from '@entidb/core/node'
import { beginNewEpoch } from '@entidb/server'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { createCommandOutput } from '../output/command-output.ts'
import { formatCount } from '../output/units.ts'
import { withServerData } from '../server-data/server-database.ts'

export const newEpochCommand: CliCommand = {
  summary: 'Begin a new epoch of a server database, so that devices compare what they hold with it',
  options: {
    dir: {
      type: 'positional',
      required: true,
      description: 'Directory of a server database not in use: DATA/DBID',
    },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const output = createCommandOutput(args, environment)
    // Nothing is made of a directory that holds something else.
    await withServerData(directory, async () => {})
    const begun = await beginNewEpoch(fileStorage(directory))
    output.result({ directory, ...begun }, () =>
      [
        `A new epoch of ${begun.dbId} has begun.`,
        `epoch         ${begun.epoch}`,
        `first cursor  ${formatCount(begun.firstCursor)}`,
        `head          ${formatCount(begun.head)}`,
      ].join('\n'),
    )
    return EXIT_OK
  },
}
