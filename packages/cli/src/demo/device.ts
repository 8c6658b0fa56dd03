/** One device of the demo: a database in a directory, and sync over a connection of its own. */
import { fileStorage } from '@entidb/core/node'
import { EntiDBSync } from '@entidb/sync'
import { createMeteredFetch, type MeteredFetch, type Traffic } from '../network/metered-fetch.ts'
import type { PullConnection } from '../network/pull-states.ts'
import { CITIES_DB_ID, type CitiesDatabase, openCitiesDatabase } from './city.ts'

/** How to reach the server. */
export interface Connection {
  readonly serverUrl: URL
  readonly token: string
  /** The certificate to trust, in PEM. */
  readonly cert: string
}

export class Device {
  readonly name: string
  readonly db: CitiesDatabase
  /** Not started: it syncs when told to, until `start`. */
  readonly sync: EntiDBSync
  readonly #connection: Connection
  readonly #wire: MeteredFetch

  private constructor(name: string, db: CitiesDatabase, connection: Connection) {
    this.name = name
    this.db = db
    this.#connection = connection
    this.#wire = createMeteredFetch(connection.cert)
    this.sync = new EntiDBSync({
      db,
      config: {
        serverUrl: connection.serverUrl,
        dbId: CITIES_DB_ID,
        authTokenProvider: async () => connection.token,
        clientInfo: { platform: 'node', appVersion: 'entidb demo' },
        fetch: this.#wire.fetch,
      },
    })
  }

  static async open(name: string, directory: string, connection: Connection): Promise<Device> {
    return new Device(name, await openCitiesDatabase(fileStorage(directory)), connection)
  }

  /** Bytes on the wire so far. */
  get traffic(): Traffic {
    return this.#wire.traffic()
  }

  /** The device's way to the server, for a client other than sync. */
  get pullConnection(): PullConnection {
    const { serverUrl, token } = this.#connection
    return { serverUrl, token, dbId: CITIES_DB_ID, fetch: this.#wire.fetch }
  }

  async close(): Promise<void> {
    await this.sync.stop()
    await this.#wire.close()
    await this.db.close()
  }
}
