/** `entidb inspect`: what a database directory holds. */
import { resolve } from 'node:path'
import type { CliCommand } from '../cli/cli-command.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { inspectDatabase } from '../inspect/inspect-database.ts'
import { inspectionText } from '../inspect/inspection-text.ts'

export const inspectCommand: CliCommand = {
  summary: 'Show what a database directory holds: collections, tables, sizes, log; changes nothing',
  options: {
    dir: { type: 'positional', required: true, description: 'Directory of a database not in use' },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, { stdout }) {
    const inspection = await inspectDatabase(resolve(args.text('dir')))
    const text = args.flag('json') ? JSON.stringify(inspection) : inspectionText(inspection)
    stdout.write(`${text}\n`)
    return EXIT_OK
  },
}
