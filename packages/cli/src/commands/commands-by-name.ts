/** The commands of `entidb`, in the order in which help lists them. */
import type { CliCommand } from '../cli/cli-command.ts'
import { backupCommand } from './backup-command.ts'
import { benchCommand } from './bench-command.ts'
import { compactCommand } from './compact-command.ts'
import { conflictsCommand } from './conflicts-command.ts'
import { conformanceCommand } from './conformance-command.ts'
import { demoCommand } from './demo-command.ts'
import { devicesCommand } from './devices-command.ts'
import { exportCommand } from './export-command.ts'
import { importCommand } from './import-command.ts'
import { inspectCommand } from './inspect-command.ts'
import { migrateCommand } from './migrate-command.ts'
import { newEpochCommand } from './new-epoch-command.ts'
import { oplogCommand } from './oplog-command.ts'
import { queryCommand } from './query-command.ts'
import { restoreCommand } from './restore-command.ts'
import { salvageCommand } from './salvage-command.ts'
import { serveCommand } from './serve-command.ts'
import { tokenCommand } from './token-command.ts'
import { verifyCommand } from './verify-command.ts'

export const commandsByName: ReadonlyMap<string, CliCommand> = new Map([
  ['serve', serveCommand],
  ['demo', demoCommand],
  ['inspect', inspectCommand],
  ['query', queryCommand],
  ['import', importCommand],
  ['export', exportCommand],
  ['verify', verifyCommand],
  ['migrate', migrateCommand],
  ['compact', compactCommand],
  ['backup', backupCommand],
  ['restore', restoreCommand],
  ['salvage', salvageCommand],
  ['oplog', oplogCommand],
  ['conflicts', conflictsCommand],
  ['devices', devicesCommand],
  ['new-epoch', newEpochCommand],
  ['conformance', conformanceCommand],
  ['bench', benchCommand],
  ['token', tokenCommand],
])
