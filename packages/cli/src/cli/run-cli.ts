/**
 * The command line as a function: finds the command, parses its options, runs it, and turns whatever
 * happens into output and an exit code. Never throws, never touches the process.
 */
import { stripVTControlCharacters } from 'node:util'
import { type CommandDef, renderUsage } from 'citty'
import { commandsByName } from '../commands/commands-by-name.ts'
import { printError } from '../output/print-error.ts'
import type { CliCommand } from './cli-command.ts'
import type { CliEnvironment } from './cli-environment.ts'
import { CommandArguments } from './command-arguments.ts'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './exit-codes.ts'
import { packageVersion } from './package-version.ts'
import { isUnread, Stopped } from './stopped.ts'
import { UsageError } from './usage-error.ts'

/**
 * Runs `entidb` with these arguments (without the program's own name) and resolves to its exit code
 * (`docs/cli.md`). It ends by itself, or cleanly after `environment.stop` was aborted.
 */
export async function runCli(
  rawArguments: readonly string[],
  environment: CliEnvironment,
): Promise<number> {
  try {
    const code = await dispatch(rawArguments, environment)
    await assertWritten(environment)
    return code
  } catch (error) {
    printError(error, environment.stderr, rawArguments.includes('--json'))
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
  }
}

async function dispatch(
  rawArguments: readonly string[],
  environment: CliEnvironment,
): Promise<number> {
  const [name, ...rest] = rawArguments
  if (name === undefined || isHelp(name)) return printHelp(rest[0], environment)
  if (name === '--version' || name === '-v') {
    environment.stdout.write(`${packageVersion()}\n`)
    return EXIT_OK
  }
  if (rest.some(isHelpOption)) return printHelp(name, environment)
  const command = findCommand(name)
  return command.run(new CommandArguments(command.options, rest), environment)
}

/** What was printed is written by now, or its reader went away, who has what they wanted. */
async function assertWritten({ outputBytes, stop }: CliEnvironment): Promise<void> {
  try {
    await outputBytes().getWriter().write(new Uint8Array())
  } catch (error) {
    if (!isUnread(error)) throw error
  }
  // What an earlier write failed with.
  if (stop.aborted && !(stop.reason instanceof Stopped)) throw stop.reason
}

const isHelpOption = (word: string): boolean => word === '--help' || word === '-h'

/** Behind a command `help` may be the name of a collection or a directory. */
const isHelp = (word: string): boolean => isHelpOption(word) || word === 'help'

function findCommand(name: string): CliCommand {
  const command = commandsByName.get(name)
  if (command === undefined) {
    const known = [...commandsByName.keys()].join(', ')
    throw new UsageError(`unknown command ${name}; there are: ${known}`)
  }
  return command
}

async function printHelp(name: string | undefined, { stdout }: CliEnvironment): Promise<number> {
  const usage =
    name === undefined || isHelp(name)
      ? await renderUsage(rootDefinition())
      : await renderUsage(definitionOf(name, findCommand(name)), rootDefinition())
  stdout.write(`${stdout.terminal === undefined ? stripVTControlCharacters(usage) : usage}\n`)
  return EXIT_OK
}

function rootDefinition(): CommandDef {
  const definitions = [...commandsByName].map(([name, command]) => [
    name,
    definitionOf(name, command),
  ])
  return {
    meta: { name: 'entidb', version: packageVersion(), description: 'EntiDB on the command line' },
    subCommands: Object.fromEntries(definitions),
  }
}

function definitionOf(name: string, { summary, options }: CliCommand): CommandDef {
  return { meta: { name, description: summary }, args: options }
}
