/** `entidb bench`: how fast the store is on this machine. */
import { mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { measureStore } from '../bench/measure-store.ts'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'
import { renderTable } from '../output/text-table.ts'

const ENTITIES_MAX = 10_000_000

export const benchCommand: CliCommand = {
  summary: 'Measure the store on this machine, in a folder that is removed afterwards',
  options: {
    dir: {
      type: 'string',
      default: '.',
      valueHint: 'dir',
      description: 'A folder on the disk to measure',
    },
    entities: {
      type: 'string',
      default: '50000',
      valueHint: 'n',
      description: 'How many, of some 150 bytes',
    },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const entities = args.optionalCount('entities', 1, ENTITIES_MAX) ?? 0
    const output = createCommandOutput(args, environment)
    const { now, stop } = environment
    const folder = await mkdtemp(join(directory, 'entidb-bench-'))
    try {
      const results = await showing(output.progress('bench'), (progress) =>
        measureStore({
          directory: folder,
          entities,
          now,
          stop,
          began: (work, index, total) => progress.update(index, total, work),
        }),
      )
      output.result({ directory, entities, results }, () =>
        renderTable(
          {
            head: ['work', 'operations', 'per second'],
            rows: results.map(({ work, operations, perSecond }) => [work, operations, perSecond]),
          },
          false,
        ),
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    return EXIT_OK
  },
}
