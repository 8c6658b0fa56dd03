/** The real server's handler as a `fetch`, without sockets, failing on demand like the model. */
import { EntiDB, memoryStorage, type Storage } from '@entidb/core'
import {
  decodePullResponse,
  encodePullRequest,
  MEDIA_TYPE,
  PULL_PATH,
  type SyncOperation,
} from '@entidb/protocol'
import {
  createSyncHandler,
  type Policy,
  type ServerLimits,
  type SyncHandler,
  serverCollections,
  silentLogger,
  staticTokens,
} from '@entidb/server'
import type { FetchInit, FetchResponse } from '../environment.ts'
import type { Fault, ModelRequest } from './model-server.test-kit.ts'

const RETENTION_MS = 30 * 86_400_000

export type ServerDatabase = EntiDB<typeof serverCollections>

export class RealServer {
  fault: (request: ModelRequest) => Fault | Promise<Fault> = () => 'pass'
  readonly requests: string[] = []
  /** Its clock. */
  nowMs = 1_800_000_000_000
  readonly #limits: Partial<ServerLimits>
  readonly #policy: Policy
  readonly #storage: Storage = memoryStorage()
  #handler: SyncHandler

  constructor(limits: Partial<ServerLimits> = {}, policy: Policy = {}) {
    this.#limits = limits
    this.#policy = policy
    this.#handler = this.#open()
  }

  readonly fetch = async (url: string, init: FetchInit): Promise<FetchResponse> => {
    const request = { index: this.requests.length, path: new URL(url).pathname }
    this.requests.push(request.path)
    const body = Uint8Array.from(init.body ?? [])
    const fault = await this.fault({ ...request, body })
    if (fault instanceof Response) return fault
    if (fault === 'refuse') throw new TypeError('fetch failed')
    if (fault === 'twice') await this.#handler.fetch(requestOf(url, init))
    const response = await this.#handler.fetch(requestOf(url, init))
    if (fault === 'lose') throw new TypeError('fetch failed')
    return response
  }

  /** Another process on the same files: a new epoch begins with its first push. */
  async restart(): Promise<void> {
    await this.#handler.close()
    this.#handler = this.#open()
  }

  /** Whoever does not sync from now on counts as silent. */
  passRetention(): void {
    this.nowMs += RETENTION_MS + 1
  }

  /** Forgets what nobody needs. Answers how many deletes. */
  async purge(): Promise<number> {
    const database = await this.#handler.database('test')
    return (await database.housekeep()).purgedTombstones
  }

  /** Writes behind the server's back, while it is down. */
  async tamper(run: (db: ServerDatabase) => Promise<void>): Promise<void> {
    await this.#handler.close()
    const db = await EntiDB.open({ storage: this.#storage, collections: serverCollections })
    await run(db)
    await db.close()
    this.#handler = this.#open()
  }

  /** Everything the server tells a newcomer. */
  async operations(): Promise<readonly SyncOperation[]> {
    const operations: SyncOperation[] = []
    for (let sinceCursor = 0; ; ) {
      const response = await this.#handler.fetch(
        new Request(`https://sync.test${PULL_PATH}`, {
          method: 'POST',
          headers: { authorization: 'Bearer secret', 'content-type': MEDIA_TYPE },
          body: encodePullRequest({ dbId: 'test', sinceCursor }) as Uint8Array<ArrayBuffer>,
        }),
      )
      const page = decodePullResponse(new Uint8Array(await response.arrayBuffer()))
      operations.push(...page.ops)
      if (!page.hasMore) return operations
      sinceCursor = page.nextCursor
    }
  }

  /** Live entities by key. */
  async live(): Promise<ReadonlyMap<string, Uint8Array>> {
    const live = new Map<string, Uint8Array>()
    for (const { collection, entityId, entityCbor } of await this.operations()) {
      if (entityCbor === null) live.delete(`${collection}/${entityId}`)
      else live.set(`${collection}/${entityId}`, entityCbor)
    }
    return live
  }

  async close(): Promise<void> {
    await this.#handler.close()
  }

  #open(): SyncHandler {
    return createSyncHandler({
      storage: () => this.#storage,
      auth: staticTokens({ secret: { subject: 'test', databases: '*', access: 'write' } }),
      createDatabases: true,
      limits: this.#limits,
      policy: this.#policy,
      retentionMs: RETENTION_MS,
      clock: () => this.nowMs,
      logger: silentLogger,
    })
  }
}

/** Nobody inflates here what a platform's fetch would. */
function requestOf(url: string, { method, headers, body, signal }: FetchInit): Request {
  const { 'Accept-Encoding': _, ...rest } = headers
  return new Request(url, {
    method,
    headers: rest,
    signal,
    ...(body === undefined ? {} : { body }),
  })
}
