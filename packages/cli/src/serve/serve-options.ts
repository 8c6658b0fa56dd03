/** What `entidb serve` was told, checked as far as possible before anything is opened. */
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { CommandArguments } from '../cli/command-arguments.ts'
import { UsageError } from '../cli/usage-error.ts'
import { ensureCertificate, LOOPBACK_NAMES, readCertificate } from '../secrets/certificate.ts'
import { parseTokens, type TokenTable } from './token-table.ts'

export interface ServeOptions {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly transport: Transport
  readonly tokens: TokenTable
  readonly createDatabases: boolean
  readonly bindDevices: boolean
  readonly retentionMs: number
  readonly maxOpenDatabases: number
}

/** How connections are protected; exactly what `createSyncServer` takes. */
export type Transport =
  | { readonly tls: { readonly cert: string; readonly key: string } }
  | { readonly behindProxy: true }
  | { readonly insecureLoopback: true }

const DAY_MS = 86_400_000
const RETENTION_DAYS_MAX = 36_500
const OPEN_MAX = 100_000

/** Errors: `UsageError`; of the system when a named file cannot be read. */
export async function parseServeOptions(
  args: CommandArguments,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServeOptions> {
  const dataDir = resolve(args.text('data'))
  return {
    dataDir,
    host: args.text('host'),
    port: args.port('port'),
    tokens: await tokensOf(args, env),
    transport: await transportOf(args, dataDir),
    createDatabases: args.flag('create-databases'),
    bindDevices: args.flag('bind-devices'),
    retentionMs: count(args, 'retention-days', RETENTION_DAYS_MAX) * DAY_MS,
    maxOpenDatabases: count(args, 'max-open', OPEN_MAX),
  }
}

/** Both have a default. */
function count(args: CommandArguments, name: string, max: number): number {
  const value = args.optionalCount(name, 1, max)
  if (value === undefined) throw new UsageError(`--${name} is missing`)
  return value
}

async function transportOf(args: CommandArguments, dataDir: string): Promise<Transport> {
  const cert = args.optionalText('cert')
  const key = args.optionalText('key')
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--cert and --key belong together')
  }
  const modes = [
    cert === undefined ? '' : '--cert',
    ...['--self-signed', '--behind-proxy', '--insecure-loopback'].filter((mode) =>
      args.flag(mode.slice(2)),
    ),
  ].filter((mode) => mode !== '')
  if (modes.length !== 1) {
    throw new UsageError(
      'say how connections are protected, in exactly one way: --cert and --key, --self-signed, --behind-proxy or --insecure-loopback',
    )
  }
  if (args.flag('behind-proxy')) return { behindProxy: true }
  if (args.flag('insecure-loopback')) {
    const host = args.text('host')
    if (LOOPBACK_NAMES.includes(host)) return { insecureLoopback: true }
    throw new UsageError(`--insecure-loopback is for ${LOOPBACK_NAMES.join(', ')}, not ${host}`)
  }
  if (cert !== undefined && key !== undefined) {
    return { tls: await readCertificate(cert, key) }
  }
  const made = await ensureCertificate(join(dirname(dataDir), 'tls'), Date.now())
  return { tls: { cert: made.cert, key: made.key } }
}

async function tokensOf(
  args: CommandArguments,
  env: Readonly<Record<string, string | undefined>>,
): Promise<TokenTable> {
  const file = args.optionalText('token-file')
  const token = args.optionalText('token') ?? (file === undefined ? env.ENTIDB_TOKEN : undefined)
  if (file !== undefined && token !== undefined) {
    throw new UsageError('--token and --token-file exclude each other')
  }
  if (file !== undefined) return parseTokens(await readFile(file, 'utf8'), file)
  if (token === undefined || token === '') {
    throw new UsageError(
      'say who may use it: --token-file, --token or ENTIDB_TOKEN (entidb token makes one)',
    )
  }
  return parseTokens(token, '--token')
}
