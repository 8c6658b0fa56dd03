/** `entidb conformance`: puts a server through every rule of the protocol that can be seen from outside. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { EntiDBError } from '@entidb/core'
import { isValidDbId } from '@entidb/protocol'
import type { CliCommand } from '../cli/cli-command.ts'
import type { CliEnvironment } from '../cli/cli-environment.ts'
import type { CommandArguments } from '../cli/command-arguments.ts'
import { EXIT_OK, EXIT_PROBLEMS } from '../cli/exit-codes.ts'
import { UsageError } from '../cli/usage-error.ts'
import type { BenchOptions } from '../conformance/bench.ts'
import { conformanceText, countsOf } from '../conformance/conformance-text.ts'
import { NoAnswer, RuleFailure } from '../conformance/expectations.ts'
import { createHttpsWire } from '../conformance/https-wire.ts'
import type { Rule } from '../conformance/rule.ts'
import { allRules } from '../conformance/rules/all-rules.ts'
import { type ConformanceReport, runConformance } from '../conformance/run-conformance.ts'
import { createCommandOutput, showing } from '../output/command-output.ts'

/** The protocol allows 15 s of silence; a comment takes a moment to arrive. */
const HEARTBEAT_MS_MAX = 20_000
const EVENT_MS_MAX = 10_000

export const conformanceCommand: CliCommand = {
  summary: 'Put a sync server through every rule of the protocol; writes to a database of it',
  options: {
    url: { type: 'string', valueHint: 'url', description: 'https://host:port of the server' },
    token: {
      type: 'string',
      valueHint: 'token',
      description: 'A token that may write the database; ENTIDB_TOKEN when it is not given',
    },
    db: {
      type: 'string',
      valueHint: 'id',
      default: 'conformance',
      description: 'The database; it need not be empty, but nobody else may write to it meanwhile',
    },
    ca: { type: 'string', valueHint: 'file', description: 'Certificate to trust, PEM' },
    only: {
      type: 'string',
      valueHint: 'text',
      description: 'Only rules that have this in their name',
    },
    'reader-token': {
      type: 'string',
      valueHint: 'token',
      description: 'A token that may only read the database, for the rules about it',
    },
    'other-db': {
      type: 'string',
      valueHint: 'id',
      description: 'A database that the token does not open, for the rules about it',
    },
    json: { type: 'boolean', description: 'Print one JSON object' },
  },
  async run(args, environment) {
    const [url, rules] = [urlOf(args), rulesOf(args)]
    const named = {
      token: tokenOf(args, environment),
      dbId: dbIdOf(args, 'db') ?? '',
      readerToken: args.optionalText('reader-token'),
      otherDatabase: dbIdOf(args, 'other-db'),
    }
    const ca = args.optionalText('ca')
    const wire = createHttpsWire(url, ca === undefined ? undefined : await readFile(ca, 'utf8'))
    try {
      const options = { ...named, ...surroundings, wire }
      const report = await runShown(rules, options, args, environment)
      const left = leftOf(report)
      if (environment.stop.aborted) throw left ?? environment.stop.reason
      const counts = countsOf(report.results)
      const ok = counts.failed === 0
      const facts = { url: url.href, dbId: named.dbId, ok, ...counts, ...report }
      createCommandOutput(args, environment).result(facts, () =>
        conformanceText(report, environment.stdout.terminal !== undefined),
      )
      if (left !== undefined) throw left
      return ok ? EXIT_OK : EXIT_PROBLEMS
    } finally {
      wire.close()
    }
  },
}

const surroundings: Omit<
  BenchOptions,
  'wire' | 'token' | 'dbId' | 'readerToken' | 'otherDatabase'
> = {
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
  sleep: (ms) => sleep(ms),
  heartbeatMsMax: HEARTBEAT_MS_MAX,
  eventMsMax: EVENT_MS_MAX,
}

async function runShown(
  rules: readonly Rule[],
  options: BenchOptions,
  args: CommandArguments,
  environment: CliEnvironment,
): Promise<ConformanceReport> {
  if (!args.flag('json')) {
    environment.stderr.write(
      `writes to database ${options.dbId}, to collections of its own, and deletes them at the end\n`,
    )
  }
  const output = createCommandOutput(args, environment)
  try {
    return await showing(output.progress('rules'), (progress) =>
      runConformance(rules, options, environment.stop, ({ id }, done) =>
        progress.update(done, rules.length, id),
      ),
    )
  } catch (error) {
    // Not a rule, but what comes before all of them: shaking hands.
    if (!(error instanceof RuleFailure)) throw error
    if (error instanceof NoAnswer) {
      const message = `${args.text('url')} does not answer: ${error.came}`
      throw new EntiDBError('server_unreachable', message)
    }
    throw wrongAnswer(error.message)
  }
}

function leftOf({ notDeleted }: ConformanceReport): EntiDBError | undefined {
  return notDeleted === undefined ? undefined : wrongAnswer(`${notDeleted}, while deleting`)
}

function wrongAnswer(message: string): EntiDBError {
  return new EntiDBError('invalid_response', `The server was ${message}`)
}

function urlOf(args: CommandArguments): URL {
  const text = args.text('url')
  if (!URL.canParse(text)) throw new UsageError(`--url must be an address, not ${text}`)
  const url = new URL(text)
  if (url.protocol === 'https:') return url
  throw new UsageError('--url must begin with https://: the protocol is spoken over TLS')
}

function rulesOf(args: CommandArguments): readonly Rule[] {
  const only = args.optionalText('only')
  if (only === undefined) return allRules
  const chosen = allRules.filter(({ id }) => id.includes(only))
  if (chosen.length > 0) return chosen
  const areas = [...new Set(allRules.map(({ id }) => `${id.split('/')[0]}/`))].join(', ')
  throw new UsageError(`no rule has ${only} in its name; they begin with ${areas}`)
}

function tokenOf(args: CommandArguments, { env }: CliEnvironment): string {
  const token = args.optionalText('token') ?? env.ENTIDB_TOKEN
  if (token !== undefined && token !== '') return token
  throw new UsageError('--token is missing, and ENTIDB_TOKEN is not set')
}

function dbIdOf(args: CommandArguments, name: string): string | undefined {
  const dbId = args.optionalText(name)
  if (dbId === undefined || isValidDbId(dbId)) return dbId
  throw new UsageError(`--${name} must be the name of a database, not ${dbId}`)
}
