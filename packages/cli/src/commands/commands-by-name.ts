/** The commands of `entidb`, in the order in which help lists them. */
import type { CliCommand } from '../cli/cli-command.ts'
import { demoCommand } from './demo-command.ts'
import { inspectCommand } from './inspect-command.ts'
import { serveCommand } from './serve-command.ts'
import { tokenCommand } from './token-command.ts'

export const commandsByName: ReadonlyMap<string, CliCommand> = new Map([
  ['serve', serveCommand],
  ['demo', demoCommand],
  ['inspect', inspectCommand],
  ['token', tokenCommand],
])
