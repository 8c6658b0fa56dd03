/** Runs a sync server from the moment it listens until it is told to stop, and drains it then. */
import { createSyncServer, jsonLogger, staticTokens } from '@entidb/server'
import type { CliEnvironment } from '../cli/cli-environment.ts'
import { EXIT_OK } from '../cli/exit-codes.ts'
import { listenOn } from '../network/listen.ts'
import type { Reporter } from '../output/reporter.ts'
import { aborted } from '../process/abortable.ts'
import type { ServeOptions } from './serve-options.ts'

/** Resolves to the exit code. Errors: `PortBusyError`, and what the server says. */
export async function runServer(
  options: ServeOptions,
  { stop, stderr }: Pick<CliEnvironment, 'stop' | 'stderr'>,
  reporter: Reporter,
): Promise<number> {
  const { dataDir, host, port, transport, tokens, createDatabases } = options
  const { bindDevices, retentionMs, maxOpenDatabases } = options
  const server = await createSyncServer({
    dataDir,
    ...transport,
    auth: staticTokens(tokens),
    createDatabases,
    bindDevices,
    retentionMs,
    limits: { maxOpenDatabases },
    logger: jsonLogger({ level: 'info', write: (line) => stderr.write(line) }),
  })
  try {
    await listenOn(server, { host, port })
    reporter.note(`listening on ${server.url}, databases in ${dataDir}; Ctrl-C stops it`)
    reporter.fact('listening', { url: server.url, dataDir })
    await aborted(stop)
    reporter.note('stopping: requests under way are finished')
  } finally {
    await server.close()
  }
  reporter.fact('stopped', {})
  return EXIT_OK
}
