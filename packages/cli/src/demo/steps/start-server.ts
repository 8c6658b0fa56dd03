/** Step: the sync server over TLS, its databases in a directory. */
import {
  createSyncServer,
  type LogFields,
  type Logger,
  type SyncServer,
  staticTokens,
} from '@entidb/server'
import { listenNear } from '../../network/listen.ts'
import type { Reporter } from '../../output/reporter.ts'
import { CITIES_DB_ID } from '../city.ts'
import type { Step } from '../step-runner.ts'
import type { Secrets } from './prepare-secrets.ts'

export interface ServerPlace {
  readonly dataDir: string
  /** Another one is taken when it is busy; 0 means any. */
  readonly port: number
}

const host = '127.0.0.1'

export async function startServer(
  place: ServerPlace,
  { tls, token }: Secrets,
  { reporter, stop }: { readonly reporter: Reporter; readonly stop: AbortSignal },
  step: Step,
): Promise<SyncServer> {
  const server = await createSyncServer({
    dataDir: place.dataDir,
    tls: { cert: tls.cert, key: tls.key },
    auth: staticTokens({
      [token]: { subject: 'demo', databases: [CITIES_DB_ID], access: 'write' },
    }),
    createDatabases: true,
    logger: warningsOnly(reporter, stop),
  })
  if (await listenNear(server, { host, port: place.port })) {
    reporter.warn(`port ${place.port} is in use (see --port); taking a free one`)
  }
  step.summary(server.url)
  return server
}

/** What an operator would read in the log. Requests cut off by an orderly stop are no news. */
function warningsOnly({ warn }: Reporter, stop: AbortSignal): Logger {
  const say = ({ error }: LogFields, message: string): void => {
    const cause = error instanceof Error ? `: ${error.message}` : ''
    if (!stop.aborted) warn(`server: ${message}${cause}`)
  }
  return { debug: () => {}, info: () => {}, warn: say, error: say }
}
