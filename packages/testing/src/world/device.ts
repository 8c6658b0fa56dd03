/** A simulated device: a disk, and on it, while it runs, a real database and a real sync client. */

import type { Entity } from '@entidb/core'
import { EntiDB, isEntiDBError, treeStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { diskWith, type Random, SimulatedDisk, type SimulatedMount } from '@entidb/core/conformance'
import { replication } from '@entidb/core/replication'
import { EntiDBSync, type OpenConflict } from '@entidb/sync'
import type { Action } from '../application/application.ts'
import { describeValue } from '../application/describe-entity.ts'
import type { CompleteVersion } from '../application/versions.ts'
import { Process } from '../kernel/process.ts'
import { randomFor } from '../kernel/random-streams.ts'
import {
  type Contents,
  isSameBytes,
  type Revisions,
  readContents,
  readRevisions,
} from '../oracle/contents.ts'
import type { DeviceView, RememberedDeletes } from '../oracle/device-view.ts'
import { Violation } from '../oracle/violation.ts'
import { assertResolution } from './assert-resolution.ts'
import { observeResolver } from './observed-resolver.ts'
import { SeenEntities } from './seen-entities.ts'
import { storageOf } from './simulated-storage.ts'
import { readMadeOn, watchBases } from './watch-bases.ts'
import type { World } from './world.ts'

export const DB_ID = 'simulated'

/** A copy of a device's files, and what the oracle knows of it. */
export interface DeviceImage {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly deletes: RememberedDeletes
  /** Of the application: an older one does not open them. */
  readonly version: number
  /** Devices whose transactions are in them. */
  readonly writers: ReadonlySet<string>
}

export class SimulatedDevice {
  readonly name: string
  readonly view: DeviceView
  disk: SimulatedDisk
  /** Told when a flush of its disk begins. */
  onFlush: () => void = () => {}
  readonly #world: World
  readonly #resolver: string
  readonly #forms = new Map<string, Entity>()
  readonly #seen = new SeenEntities()
  readonly #collections: readonly string[]
  #lives = 0
  #process: Process | undefined
  #mount: SimulatedMount | undefined
  #db: EntiDB | undefined
  #sync: EntiDBSync | undefined
  /** Snapshots of commits that the oracle has still to see; undefined: it died while they were read. */
  readonly #commits: Promise<readonly [Contents, Revisions] | undefined>[] = []
  #acting = 0
  /** An event said that the cursor may go back. */
  #cursorMayGoBack = true
  /** Transactions of the oracle from here on are in its ledger. */
  ledgerFrom = 0
  /** Devices whose transactions its files have as its own: copied files have those of another one. */
  #writers: ReadonlySet<string>
  /** Was it told to be another device? */
  #renamed = 0

  constructor(world: World, name: string, resolver: string, version: number) {
    this.#world = world
    this.name = name
    this.#writers = new Set([name])
    this.#resolver = resolver
    this.view = world.oracle.device(name)
    this.view.version = version
    this.disk = new SimulatedDisk(randomFor(world.plan.seed, 'disk', name))
    this.#collections = Object.keys(world.application.collections)
  }

  get sync(): EntiDBSync | undefined {
    return this.#sync
  }

  get isUp(): boolean {
    return this.#process?.alive === true
  }

  get isReady(): boolean {
    return this.isUp && this.#sync !== undefined
  }

  /** Transactions of the application that are under way. */
  get acting(): number {
    return this.#acting
  }

  /** Its application. */
  get #application(): CompleteVersion {
    const version = this.#world.versions[this.view.version - 1]
    if (version === undefined) throw new RangeError(`there is no version ${this.view.version}`)
    return version
  }

  /** Begins a life. Resolves when it is ready; never, when it dies before. */
  async boot(): Promise<void> {
    if (this.isUp) return
    const { time, log, plan } = this.#world
    const process = new Process(this.name, time)
    const random = randomFor(plan.seed, 'device', this.name, this.#lives++)
    this.#process = process
    log.write(this.name, `boots${this.view.version === 1 ? '' : ` version ${this.view.version}`}`)
    const { mount, storage } = storageOf({
      disk: this.disk,
      process,
      random: randomFor(plan.seed, 'flushes', this.name, this.#lives),
      flushMs: plan.config.flushMs,
      onFlush: () => this.onFlush(),
      onCrash: () => this.#died('dies at an operation of its disk'),
    })
    this.#mount = mount
    const db = await EntiDB.open({
      storage,
      collections: this.#application.collections,
      changeFeed: true,
      clock: process.now,
      scheduler: process.scheduler,
      randomBytes: (count) => random.bytes(count),
    })
    const look = this.#observe(db, process)
    this.#db = db
    this.#sync = this.#newSync(db, process, random)
    this.#lookAtPulls(this.#sync, look)
    if (this.#world.isAutomatic) this.startSync()
  }

  /** From now on it syncs by itself. */
  startSync(): void {
    void this.#sync?.start().catch((error: unknown) => this.#world.fail(error))
  }

  /** Its process ends without a word. `power`: what was not flushed is at the mercy of chance. */
  crash(power: boolean): void {
    if (!this.isUp) return
    this.#died(power ? 'loses power' : 'is killed')
    if (power) this.disk.losePower()
  }

  /** It dies at the `operations`-th operation of its disk from now. */
  crashIn(operations: number | undefined): void {
    this.#mount?.crashIn(operations)
  }

  /** A copy of its files, as they are. */
  image(): DeviceImage {
    const { version } = this.view
    const writers = this.#writers
    return { files: this.disk.image(), deletes: this.view.rememberedDeletes(), version, writers }
  }

  /** Ends, and begins again with these files. */
  async restore({ files, deletes, version, writers }: DeviceImage): Promise<void> {
    if (this.isUp) this.#died('is restored from a backup')
    const writersBefore = this.#writers
    this.#writers = new Set([this.name, ...writers])
    this.view.version = Math.max(this.view.version, version)
    const disk = diskWith(randomFor(this.#world.plan.seed, 'disk', this.name, this.#lives), files)
    this.disk = disk
    this.#cursorMayGoBack = true
    this.#world.answers.forget()
    this.#world.answers.wentBack(this.name)
    const contents = await this.#readOffline()
    // Other files took their place at once: it never ran with these.
    if (this.disk !== disk) return
    this.#world.oracle.deviceRestored(this.name, contents, deletes, writersBefore)
    this.ledgerFrom = this.#world.oracle.transactions.length
  }

  /** Ends, and is of the next version from its next boot on. False: there is none. */
  upgrade(): boolean {
    if (this.view.version >= this.#world.versions.length) return false
    const { pending = 0, held = 0 } = this.#sync?.status ?? {}
    if (pending > 0) this.#world.tally.count('upgradedPending')
    if (held > 0) this.#world.tally.count('upgradedHeld')
    if (this.isUp) this.#died('is upgraded')
    this.view.version++
    return true
  }

  /** An action of the application. Nothing, where this device's version has none of that name. */
  async actBy(name: string, random: Random, unique: string): Promise<void> {
    const { versions } = this.#world
    if (!versions.some(({ actions }) => Object.hasOwn(actions, name))) {
      throw new RangeError(`there is no action ${name}`)
    }
    const action = this.#application.actions[name]
    if (action !== undefined) await this.act(name, action, random, unique)
  }

  /** A transaction of the application. */
  async act(name: string, action: Action, random: Random, unique: string): Promise<void> {
    const db = this.#db
    if (db === undefined || !this.isReady) return
    const { oracle, log } = this.#world
    const process = this.#process
    this.#acting++
    const { transaction, receipt } = await db.transaction(async (tx) => {
      const before = await readContents(tx, this.#collections)
      const { watched, basedOn, puts } = watchBases(tx, this.#seen)
      const context = { random, unique, device: this.name, forms: this.#forms }
      await action.run(watched, context)
      const after = await readContents(tx, this.#collections)
      const madeOn = await readMadeOn(tx, before, after, basedOn)
      const transaction = oracle.wrote({
        device: this.name,
        name,
        before,
        after,
        madeOn,
        puts,
      })
      const { writes } = transaction
      if (writes.length > 0) log.write(this.name, `${name}: ${writes.join(', ')}`)
      return { transaction, receipt: tx }
    })
    transaction.opIds = receipt.receipt.opIds
    transaction.acknowledged = true
    // One that died meanwhile acts no more.
    if (process === this.#process && process?.alive === true) this.#acting--
  }

  /** Looks at what was committed since the last look. */
  async look(): Promise<void> {
    for (const commit of this.#commits.splice(0)) {
      const state = await commit
      if (state === undefined) return
      const changes = this.view.show(...state)
      if (changes.length > 0) this.#world.log.write(this.name, `shows ${changes.join(', ')}`)
    }
    const sync = this.#sync
    if (sync === undefined || !this.isUp) return
    this.view.assertCursor(sync.status.cursor, this.#cursorMayGoBack)
  }

  /** What a person does: decides about each open conflict, or about some by chance. */
  async decideConflicts(random?: Random): Promise<number> {
    const conflicts = (await this.#sync?.conflicts.list()) ?? []
    let decided = 0
    for (const conflict of conflicts) {
      if (random?.chance(0.3) === true) continue
      if (await this.#decide(conflict)) decided++
    }
    return decided
  }

  /** What a person does about rejections: gives them up. */
  async discardRejections(): Promise<number> {
    const rejections = (await this.#sync?.rejections.list()) ?? []
    for (const { id, group } of rejections) {
      await this.look()
      const nodes = group.map((each) => this.view.node(`${each.collection}/${each.entityId}`))
      this.#world.log.write(this.name, `discards ${nodes.join(', ')}`)
      this.#world.oracle.dropped(this.name, nodes, 'the rejection was discarded')
      try {
        await this.#sync?.rejections.discard(id)
      } catch (error) {
        if (!isEntiDBError(error, 'rejection_changed')) throw error
      }
    }
    return rejections.length
  }

  /** Everything on it, with revisions. Only of a device that runs. */
  async contents(): Promise<Contents> {
    const db = this.#db
    if (db === undefined) throw new TypeError(`${this.name} does not run`)
    const snapshot = db.snapshot()
    try {
      return await readContents(snapshot, this.#collections)
    } finally {
      snapshot.release()
    }
  }

  /** Its application reads what its version makes of what is stored. */
  async assertReads(): Promise<void> {
    for (const name of this.#collections) {
      for (const entity of (await this.#db?.collection(name).find()) ?? []) {
        const node = this.view.node(`${name}/${entity.id}`)
        if (isSameBytes(encodeEntity(entity), this.view.reads(node))) continue
        throw new Violation(`${this.name} reads ${describeValue(entity)} where it has ${node}`)
      }
    }
  }

  /** How much its change feed holds. */
  async feedLength(): Promise<number> {
    return (await this.#db?.stats())?.feed.operations ?? 0
  }

  set clockOffsetMs(offsetMs: number) {
    if (this.#process !== undefined) this.#process.clockOffsetMs = offsetMs
  }

  #died(how: string): void {
    this.#world.log.write(this.name, how)
    this.#process?.end()
    this.#mount?.die()
    this.#db = undefined
    this.#sync = undefined
    this.#commits.length = 0
    this.#acting = 0
    this.#forms.clear()
    this.#seen.clear()
  }

  /** Answers what has it looked at as it is now, which every commit does. */
  #observe(db: EntiDB, process: Process): () => void {
    // Nothing of a dead process ever answers.
    const death = new Promise<undefined>((resolve) => process.atEnd(() => resolve(undefined)))
    const look = (): void => {
      if (!process.alive) return
      const snapshot = replication(db).snapshot()
      const state = [readContents(snapshot, this.#collections), readRevisions(snapshot)] as const
      const read = Promise.all(state).finally(() => snapshot.release())
      this.#commits.push(Promise.race([read, death]))
      this.#world.touched(this)
    }
    replication(db).onCommit(look)
    look()
    return look
  }

  /** What a page tells may change nothing that is shown. */
  #lookAtPulls(sync: EntiDBSync, look: () => void): void {
    let { cursor } = sync.status
    sync.on('status', (status) => {
      if (status.cursor === cursor) return
      cursor = status.cursor
      look()
    })
  }

  #newSync(db: EntiDB, process: Process, random: Random): EntiDBSync {
    const { plan, network, oracle, tokens, log } = this.#world
    const { config } = plan
    const { resolvers } = this.#application
    const resolver = observeResolver(resolvers[this.#resolver], {
      device: this.name,
      oracle,
      log,
      onFailure: (error) => {
        if (process.alive) this.#world.fail(error)
      },
    })
    const sync = new EntiDBSync({
      db,
      config: {
        serverUrl: 'https://sync.simulated',
        dbId: DB_ID,
        authTokenProvider: () => tokens.issue(process.now()),
        ...(resolver === undefined ? {} : { conflictResolver: resolver }),
        stream: config.stream,
        pollIntervalMs: config.pollIntervalMs,
        environment: {
          fetch: network.fetchOf(process),
          timers: process.scheduler,
          now: process.now,
          random: () => random.next(),
          randomId: () => `${this.name}-${++this.#renamed}`,
          onOnline: () => () => {},
          turn: () => process.pause(0),
        },
      },
    })
    this.#listen(sync, process)
    return sync
  }

  #listen(sync: EntiDBSync, process: Process): void {
    const { log } = this.#world
    const tell = (what: string): void => {
      if (process.alive) log.write(this.name, what)
    }
    sync.on('error', (error) => {
      tell(`error ${error.code}`)
      if (error.code === 'resolver_failed' && process.alive) this.#world.fail(error)
    })
    sync.on('conflict', ({ collection, entityId }) => tell(`conflict on ${collection}/${entityId}`))
    sync.on('rejected', ({ code, group }) => tell(`rejected (${code}): ${group.length} entities`))
    sync.on('epoch', ({ point, recovered }) => {
      this.#cursorMayGoBack = true
      tell(`epoch: parted at ${point}, ${recovered} offered again`)
    })
    sync.on('resync', ({ phase, reason }) => {
      this.#cursorMayGoBack = true
      tell(`re-sync ${phase} (${reason})`)
      if (phase === 'ended') this.#world.tally.count('resynced')
    })
    sync.on('split', () => {
      tell('splits a transaction')
      for (const each of this.#world.oracle.transactions) {
        if (this.#writers.has(each.device)) each.isAtomic = false
      }
    })
    sync.on('device', ({ reason, deviceId }) => {
      tell(`${reason}: ${deviceId}`)
      if (reason === 'superseded')
        void sync.renameDevice().catch((error: unknown) => this.#world.fail(error))
    })
  }

  async #decide({
    id,
    local,
    remote,
    base,
    group,
    collection,
    entityId,
  }: OpenConflict): Promise<boolean> {
    const { oracle, log } = this.#world
    const { signal } = new AbortController()
    const resolution = await this.#application.decide.resolve(local, remote, {
      base,
      group,
      signal,
    })
    assertResolution(resolution, entityId)
    oracle.decided(this.name, local, remote, group, resolution)
    if (resolution.type === 'takeRemote') {
      // What goes is what is there now: another decision may have merged since the list was made.
      await this.look()
      const nodes = group.map((each) => this.view.node(`${each.collection}/${each.entityId}`))
      oracle.dropped(this.name, nodes, 'the conflict was settled by takeRemote')
    }
    log.write(this.name, `decides ${collection}/${entityId}: ${resolution.type}`)
    try {
      await this.#sync?.conflicts.resolve(id, resolution)
      return true
    } catch (error) {
      if (isEntiDBError(error, 'conflict_changed')) return true
      throw error
    }
  }

  async #readOffline(): Promise<Contents> {
    const copy = diskWith(randomFor(0, 'copy'), this.disk.image())
    const db = await EntiDB.open({
      storage: treeStorage(copy.mount()),
      collections: this.#application.collections,
      changeFeed: true,
      clock: () => 0,
      scheduler: { after: (delayMs, task) => this.#world.time.after(delayMs, task) },
    })
    const snapshot = db.snapshot()
    const contents = await readContents(snapshot, this.#collections)
    snapshot.release()
    return contents
  }
}
