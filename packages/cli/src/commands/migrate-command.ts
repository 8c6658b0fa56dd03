/** `entidb migrate`: brings the entities of a database to the versions that an application defines. */
import { resolve } from 'node:path'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK, EXIT_PROBLEMS } from '../cli/exit-codes.ts'
import { UsageError } from '../cli/usage-error.ts'
import { loadDefinitions } from '../migrate/definitions-module.ts'
import { migrateDirectory, planDirectory } from '../migrate/migrate-directory.ts'
import { migrationFacts, migrationText } from '../migrate/migration-text.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'

const SAMPLES_MAX = 100

export const migrateCommand: CliCommand = {
  summary: "Migrate a database by an application's definitions, or show what that would do",
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    collections: {
      type: 'string',
      valueHint: 'module',
      description: 'ES module that exports `collections`; it runs',
    },
    'dry-run': { type: 'boolean', description: 'Change nothing' },
    samples: {
      type: 'string',
      default: '3',
      valueHint: 'n',
      description: 'Entities of each collection to show, before and after',
    },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const directory = resolve(args.text('dir'))
    const module = args.optionalText('collections')
    if (module === undefined) throw new UsageError('--collections is missing')
    const samples = args.optionalCount('samples', 0, SAMPLES_MAX) ?? 0
    const collections = await loadDefinitions(resolve(module))
    const output = createCommandOutput(args, environment)
    const work = { directory, collections, signal: environment.stop }
    const plan = await showing(output.progress('check'), (progress) =>
      planDirectory(work, samples, ({ done, total }) => progress.update(done, total)),
    )
    const migrated = !args.flag('dry-run') && !plan.isRefused
    if (migrated) {
      await showing(output.progress('migrate'), (progress) =>
        migrateDirectory(work, plan, ({ done, total }) => progress.update(done, total)),
      )
    }
    const migration = { directory, migrated, ...plan }
    output.result(migrationFacts(migration), () => migrationText(migration))
    return plan.ok ? EXIT_OK : EXIT_PROBLEMS
  },
}
