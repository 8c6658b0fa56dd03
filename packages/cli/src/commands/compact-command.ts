/** `entidb compact`: gives free space back to the file system. */
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { assertDatabaseDirectory } from '../inspect/find-database.ts'
import { withStore } from '../maintenance/with-store.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'
import { formatBytes } from '../output/units.ts'

export const compactCommand: CliCommand = {
  summary: 'Give the free space of a database back to the file system',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const output = createCommandOutput(args, environment)
    await assertDatabaseDirectory(directory)
    const bytesBefore = bytesOf(directory)
    await showing(output.progress('compact'), (progress) =>
      withStore(directory, { readOnly: false }, async ({ maintenance }) => {
        await maintenance?.compact(({ done, total }) => {
          environment.stop.throwIfAborted()
          progress.update(done, total)
        })
      }),
    )
    const bytesAfter = bytesOf(directory)
    output.result({ directory, bytesBefore, bytesAfter }, () =>
      [
        directory,
        `before       ${formatBytes(bytesBefore)}`,
        `after        ${formatBytes(bytesAfter)}`,
      ].join('\n'),
    )
    return EXIT_OK
  },
}

function bytesOf(directory: string): number {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.entidb'))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}
