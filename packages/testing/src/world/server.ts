/** The simulated server: a disk, and on it, while it runs, the real handler. */

import { hash } from 'node:crypto'
import { isEntiDBError, treeStorage } from '@entidb/core'
import { diskWith, SimulatedDisk, type SimulatedMount } from '@entidb/core/conformance'
import {
  addDigests,
  decodeSyncOperation,
  emptyDigest,
  encodeDigestInput,
  type SyncOperation,
} from '@entidb/protocol'
import {
  createSyncHandler,
  type Identity,
  type LogFields,
  type SyncDatabase,
  type SyncHandler,
  silentLogger,
} from '@entidb/server'
import { assertInvariant } from '../application/assert-invariant.ts'
import { Process } from '../kernel/process.ts'
import { randomFor } from '../kernel/random-streams.ts'
import { settle } from '../kernel/virtual-time.ts'
import type { Host } from '../network/network.ts'
import type { ServerLog } from '../oracle/server-log.ts'
import { Violation } from '../oracle/violation.ts'
import { DB_ID } from './device.ts'
import { storageOf } from './simulated-storage.ts'
import type { World } from './world.ts'

/** Who the oracle is for the server. */
const OBSERVER: Identity = { subject: 'observer', databases: '*', access: 'read' }

export class SimulatedServer implements Host {
  readonly name = 'server'
  disk: SimulatedDisk
  /** Told when a flush of its disk begins. */
  onFlush: () => void = () => {}
  readonly #world: World
  #lives = 0
  #process: Process | undefined
  #mount: SimulatedMount | undefined
  #handler: SyncHandler | undefined
  #opening: Promise<void> | undefined
  #opened: SyncDatabase | undefined
  readonly #deathListeners = new Set<(silent: boolean) => void>()

  constructor(world: World) {
    this.#world = world
    this.disk = new SimulatedDisk(randomFor(world.plan.seed, 'disk', 'server'))
  }

  get isUp(): boolean {
    return this.#process?.alive === true
  }

  boot(): void {
    if (this.isUp) return
    const { time, log, plan, application, tokens } = this.#world
    const { config } = plan
    const process = new Process(this.name, time)
    const random = randomFor(plan.seed, 'server', this.#lives++)
    this.#process = process
    log.write(this.name, 'boots')
    this.#handler = createSyncHandler({
      storage: () => {
        const { mount, storage } = storageOf({
          disk: this.disk,
          process,
          random: randomFor(plan.seed, 'flushes', 'server', this.#lives),
          flushMs: config.flushMs,
          onFlush: () => this.onFlush(),
          onCrash: () => this.#died('dies at an operation of its disk', false),
        })
        this.#mount = mount
        return storage
      },
      auth: tokens.authenticator(process.now),
      createDatabases: true,
      ...(application.policy === undefined ? {} : { policy: application.policy }),
      limits: {
        maxOpsPerPush: config.maxOpsPerPush,
        maxPullOps: config.maxPullOps,
        maxConflictBytes: config.maxConflictBytes,
      },
      retentionMs: config.retentionMs,
      logger: { ...silentLogger, error: (fields) => this.#failed(process, fields) },
      clock: process.now,
      randomBytes: (count) => random.bytes(count),
      timers: { set: (callback, delayMs) => process.scheduler.after(delayMs, callback) },
    })
  }

  /** Opens the database before somebody asks for it. */
  open(): void {
    const process = this.#process
    this.#handler?.database(DB_ID).catch((error: unknown) => {
      if (process?.alive === true) this.#world.fail(error)
    })
  }

  receive(request: Request): Promise<Response> | undefined {
    return this.isUp ? this.#handler?.fetch(request) : undefined
  }

  onDeath(listener: (silent: boolean) => void): () => void {
    this.#deathListeners.add(listener)
    return () => this.#deathListeners.delete(listener)
  }

  /** `power`: what was not flushed is at the mercy of chance, and nobody hears of it. */
  crash(power: boolean): void {
    if (!this.isUp) return
    this.#died(power ? 'loses power' : 'is killed', power)
    if (power) this.disk.losePower()
  }

  crashIn(operations: number | undefined): void {
    this.#mount?.crashIn(operations)
  }

  image(): ReadonlyMap<string, Uint8Array> {
    return this.disk.image()
  }

  /** Ends, and has these files from now on. */
  restore(image: ReadonlyMap<string, Uint8Array>): void {
    if (this.isUp) this.#died('is restored from a backup', false)
    this.#world.answers.wentBack()
    this.disk = diskWith(randomFor(this.#world.plan.seed, 'disk', 'server', this.#lives), image)
  }

  /** Shows the oracle what was committed since the last look. */
  async look(): Promise<void> {
    const { oracle, log, application } = this.#world
    const database = this.#opened ?? (await this.#database())
    if (database === undefined) return
    const head = await this.#unlessItDies(database.head())
    if (head === undefined || head === oracle.server.head) return
    if (head < oracle.server.head)
      throw new Violation(`the head of the server went back to ${head}`)
    const read = await this.#unlessItDies(logAfter(database, oracle.server.head))
    if (read === undefined) return
    const { ops } = read
    oracle.server.advance(ops, head)
    for (const op of ops)
      log.write(
        this.name,
        `has ${op.entityVersion}: ${oracle.server.node(`${op.collection}/${op.entityId}`)}`,
      )
    if (oracle.serverWasRestored || !this.#world.isSetUp) return
    assertInvariant(application, oracle.server.entities())
  }

  set clockOffsetMs(offsetMs: number) {
    this.#world.answers.forget()
    if (this.#process !== undefined) this.#process.clockOffsetMs = offsetMs
  }

  /** What is on its disk, read from a copy. */
  async readOffline(): Promise<ServerLog> {
    const { time } = this.#world
    const copy = diskWith(randomFor(0, 'copy'), this.disk.image())
    const handler = createSyncHandler({
      storage: () => treeStorage(copy.mount()),
      auth: this.#world.tokens.authenticator(() => 0),
      logger: silentLogger,
      clock: () => 0,
      timers: { set: (callback, delayMs) => time.after(delayMs, callback) },
    })
    return logAfter(await handler.database(DB_ID), 0)
  }

  /** It clears away what it may; when it dies meanwhile, a part of that. */
  async maintain(): Promise<void> {
    const [process, database] = [this.#process, await this.#database()]
    if (database === undefined || process?.alive !== true) return
    const { compactedOps, purgedTombstones } = await database.housekeep()
    const { log, tally } = this.#world
    log.write(this.name, `clears away ${compactedOps} operations, ${purgedTombstones} deletes`)
    tally.count('purgedDelete', purgedTombstones)
    await this.assertLog()
  }

  /** What it kept is what it has to keep. */
  async assertLog(): Promise<void> {
    const database = await this.#database()
    if (database === undefined) return
    await this.look()
    const log = await this.#unlessItDies(logAfter(database, 0))
    if (log !== undefined) this.#world.oracle.server.assertKept(log)
  }

  /** Its digest is the one of what it has. */
  async assertDigest(): Promise<void> {
    const { server } = this.#world.oracle
    const database = await this.#database()
    if (database === undefined) return
    let digest = emptyDigest()
    for (const [key, { node, revision }] of server.live()) {
      const slash = key.indexOf('/')
      const input = encodeDigestInput(
        key.slice(0, slash),
        key.slice(slash + 1),
        revision,
        node.bytes ?? new Uint8Array(0),
      )
      digest = addDigests(digest, hash('sha256', input, 'buffer'))
    }
    const { match } = await database.verify({ dbId: DB_ID, cursor: server.head, digest }, OBSERVER)
    if (!match) throw new Violation('the digest of the server is not that of its entities')
  }

  /** Undefined while it is down or opening, or nobody has used it yet. Never waits for an event. */
  async #database(): Promise<SyncDatabase | undefined> {
    const [handler, process] = [this.#handler, this.#process]
    if (handler === undefined || this.#mount === undefined) return undefined
    this.#opening ??= handler.database(DB_ID).then(
      (database) => {
        if (process === this.#process && process?.alive === true) this.#opened = database
      },
      (error: unknown) => {
        this.#opening = undefined
        if (!isEntiDBError(error, 'unknown_database')) this.#world.fail(error)
      },
    )
    await settle()
    return this.#opened
  }

  /** What the oracle reads is an operation of the disk, too: the server may die at it, and then never answers. */
  async #unlessItDies<T>(reading: Promise<T>): Promise<T | undefined> {
    let forget = (): void => {}
    const death = new Promise<undefined>((resolve) => {
      forget = this.onDeath(() => resolve(undefined))
    })
    try {
      return await Promise.race([reading, death])
    } finally {
      forget()
    }
  }

  /** A request failed in a way that no client can do anything about: the policy of the application threw, or the server. */
  #failed(process: Process, { code, error }: LogFields): void {
    if (code === 'internal' && process.alive) this.#world.fail(error)
  }

  #died(how: string, silent: boolean): void {
    this.#world.log.write(this.name, how)
    this.#world.answers.forget()
    this.#process?.end()
    this.#mount?.die()
    this.#mount = undefined
    this.#handler = undefined
    this.#opening = undefined
    this.#opened = undefined
    const listeners = [...this.#deathListeners]
    this.#deathListeners.clear()
    for (const listener of listeners) listener(silent)
  }
}

async function logAfter(database: SyncDatabase, sinceCursor: number): Promise<ServerLog> {
  const ops: SyncOperation[] = []
  for (let since = sinceCursor; ; ) {
    const page = await database.pull({ dbId: DB_ID, sinceCursor: since }, OBSERVER)
    ops.push(...page.ops.map((bytes) => decodeSyncOperation(bytes)))
    const { nextCursor, purgedThrough = 0 } = page
    if (!page.hasMore) return { ops, head: nextCursor, purgedThrough }
    since = nextCursor
  }
}
