/** A device: a database in memory and a sync client, against a server in the same process. */
import {
  type DatabaseLimits,
  defineCollection,
  EntiDB,
  memoryStorage,
  type Storage,
} from '@entidb/core'
import type { SyncConfig } from '../config.ts'
import type { ConflictResolver, Resolution, SyncedEntity } from '../conflicts/conflict-types.ts'
import { EntiDBSync, type SyncResult } from '../entidb-sync.ts'
import type { FetchLike } from '../environment.ts'
import { coreEngine } from '../state/core-engine.ts'
import { CrashError, FaultyEngine } from './faulty-engine.test-kit.ts'

export interface Note {
  readonly id: string
  /** Every edit adds one that nobody else adds. */
  readonly tokens: readonly string[]
}

export interface Account {
  readonly id: string
  readonly balance: number
  readonly last?: string
}

export const collections = {
  notes: defineCollection<Note>({ indexes: { tokens: ['tokens'] } }),
  accounts: defineCollection<Account>({}),
}

export type TestDatabase = EntiDB<typeof collections>

/** Merge by union; an edit wins over a delete; accounts go by the server. */
export const unionResolver: ConflictResolver = {
  resolve(local, remote): Resolution {
    if (local.collection !== 'notes') return { type: 'takeRemote' }
    if (local.entity === null) return { type: 'takeRemote' }
    if (remote.entity === null) return { type: 'keepLocal' }
    return { type: 'merge', entity: union(local.entity, remote.entity) }
  },
}

function union(local: SyncedEntity, remote: SyncedEntity): SyncedEntity {
  const tokens = new Set([...tokensOf(local), ...tokensOf(remote)])
  return { ...local, tokens: [...tokens].sort() }
}

export function tokensOf(note: unknown): readonly string[] {
  return (note as Note | undefined)?.tokens ?? [] // tests know what they wrote
}

export interface DeviceOptions {
  readonly fetch: FetchLike
  readonly storage?: Storage
  readonly changeFeed?: boolean
  readonly limits?: Partial<DatabaseLimits>
  readonly config?: Partial<SyncConfig>
}

export class Device {
  readonly db: TestDatabase
  readonly #options: DeviceOptions
  engine: FaultyEngine
  sync: EntiDBSync
  readonly errors: string[] = []

  private constructor(db: TestDatabase, options: DeviceOptions) {
    this.db = db
    this.#options = options
    this.engine = new FaultyEngine(coreEngine(db))
    this.sync = this.#newSync()
  }

  static async open(options: DeviceOptions): Promise<Device> {
    const db = await EntiDB.open({
      storage: options.storage ?? memoryStorage(),
      collections,
      changeFeed: options.changeFeed ?? true,
      durability: 'relaxed',
      limits: options.limits ?? {},
    })
    return new Device(db, options)
  }

  /** Another process on the same database; the one before is gone without a goodbye. */
  restart(config: Partial<SyncConfig> = {}): void {
    this.engine = new FaultyEngine(coreEngine(this.db))
    this.sync = this.#newSync(config)
  }

  async addToken(id: string, token: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      const notes = tx.collection('notes')
      const tokens = tokensOf(await notes.get(id))
      await notes.put({ id, tokens: [...tokens, token].sort() })
    })
  }

  async tokens(id: string): Promise<readonly string[]> {
    return tokensOf(await this.db.collection('notes').get(id))
  }

  /** Syncs; a crash restarts the process and syncs again, a lost answer is tried again. */
  async syncThrough(triesMax = 50): Promise<SyncResult> {
    for (let tries = 0; tries < triesMax; tries++) {
      try {
        return await this.sync.sync()
      } catch (error) {
        if (error instanceof CrashError) this.restart()
        else if ((error as { retry?: string }).retry !== 'later') throw error
      }
    }
    throw new Error(`not synced after ${triesMax} tries`)
  }

  /** Bytes of every live entity by key, as stored. */
  async contents(): Promise<ReadonlyMap<string, Uint8Array>> {
    const contents = new Map<string, Uint8Array>()
    for (const name of ['notes', 'accounts'] as const) {
      for (const { id } of await this.db.collection(name).find({})) {
        const raw = await this.db.collection(name).getRaw(id)
        if (raw !== undefined) contents.set(`${name}/${id}`, raw.bytes)
      }
    }
    return contents
  }

  async close(): Promise<void> {
    await this.sync.stop().catch(() => {})
    await this.db.close()
  }

  #newSync(config: Partial<SyncConfig> = {}): EntiDBSync {
    const sync = new EntiDBSync(
      {
        db: this.db,
        config: {
          serverUrl: 'https://sync.test',
          dbId: 'test',
          authTokenProvider: () => 'secret',
          stream: false,
          fetch: this.#options.fetch,
          ...this.#options.config,
          ...config,
        },
      },
      this.engine,
    )
    sync.on('error', (error) => this.errors.push(error.code))
    return sync
  }
}

/** Syncs all devices until nothing moves. */
export async function syncAll(...devices: readonly Device[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    let moved = 0
    for (const device of devices) {
      const { pulled, pushed } = await device.syncThrough()
      moved += pulled + pushed
    }
    if (moved === 0) return
  }
  throw new Error('the devices do not come to rest')
}
