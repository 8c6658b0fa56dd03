/**
 * The rules of compaction, purge and epochs, spelt naively over `PushModel`; and a replica that only knows what it
 * pulled. Written from the protocol document, not from the product's code.
 */
import { EPOCH_STRIDE, type SyncOperation } from '@entidb/protocol'
import { PushModel } from './push-model.test-kit.ts'

export const HOUR_MS: number = 3_600_000
export const RETENTION_MS: number = 240 * HOUR_MS
/** Of compaction: devices that were silent for longer are not waited for. */
const LIVE_MS = 24 * HOUR_MS

/** A pull from 0 that asked for nothing for so long is not waited for. */
const RESYNC_WAIT_MS = HOUR_MS

interface KnownDevice {
  /** The largest seen in the epoch. */
  readonly cursor: number
  readonly epoch: number
  readonly atMs: number
}

export class HousekeepingModel {
  readonly pushes: PushModel
  nowMs: number = 1_700_000_000_000
  compactedThrough = 0
  purgedThrough = 0
  readonly #devices = new Map<string, KnownDevice>()
  /** Devices that are never forgotten. */
  readonly #pushers = new Set<string>()
  /** By revision, in cursor order. */
  readonly #tombstones = new Map<number, { readonly entityId: string; readonly atMs: number }>()
  readonly #sightings = new Map<
    string,
    { readonly cursor: number | undefined; readonly atMs: number }
  >()
  #epoch = 0
  #isReopened = false

  constructor(head: number) {
    this.pushes = new PushModel(head)
  }

  push(deviceId: string, ops: readonly SyncOperation[]): ReturnType<PushModel['push']> {
    this.#beginEpoch()
    const headBefore = this.pushes.head
    const fates = this.pushes.push(ops)
    if (ops.length === 0) this.see(deviceId, undefined)
    else if (fates !== 'op_id_reused') {
      const known = this.#devices.get(deviceId) ?? { cursor: 0, epoch: this.#epoch }
      this.#devices.set(deviceId, { ...known, atMs: this.nowMs })
      this.#pushers.add(deviceId)
    }
    for (const { revision, entityId, bytes } of this.pushes.oplog) {
      if (revision > headBefore && bytes === null) {
        this.#tombstones.set(revision, { entityId, atMs: this.nowMs })
      }
    }
    return fates
  }

  /** In a pull, or a push of nothing, which shows no cursor: the server stores it with its next round, or when it closes. */
  see(deviceId: string, cursor: number | undefined): void {
    const before = this.#sightings.get(deviceId)?.cursor
    const largest = cursor === undefined ? before : Math.max(before ?? 0, cursor)
    this.#sightings.set(deviceId, { cursor: largest, atMs: this.nowMs })
  }

  /** Deletes may have been purged that the replica needs: not those from before its pull from 0 began. */
  isExpired({ cursor, resyncPurged }: Replica): boolean {
    return cursor > 0 && cursor < this.purgedThrough && resyncPurged !== this.purgedThrough
  }

  reopen(): void {
    this.#storeSightings()
    this.#isReopened = true
  }

  housekeep(replicas: readonly Replica[]): void {
    this.#storeSightings()
    const live = this.#seenWithin(LIVE_MS).filter(({ cursor }) => cursor > 0)
    const horizon = Math.min(this.pushes.head, ...live.map(({ cursor }) => cursor))
    this.compactedThrough = Math.max(this.compactedThrough, horizon)
    this.pushes.compact(this.compactedThrough)
    const underWay = replicas.filter(
      ({ resyncPurged, pulled }) =>
        resyncPurged !== undefined && this.nowMs - pulled.atMs < RESYNC_WAIT_MS,
    )
    const seen = Math.min(
      ...this.#seenWithin(RETENTION_MS).map(({ cursor }) => cursor),
      ...underWay.map(({ pulled }) => pulled.since),
    )
    for (const [revision, { entityId, atMs }] of [...this.#tombstones]) {
      if (this.nowMs - atMs < RETENTION_MS || revision > seen) break
      if (revision > this.compactedThrough) break
      this.#tombstones.delete(revision)
      if (this.pushes.states.get(entityId)?.revision !== revision) continue
      this.pushes.purge(revision)
      this.purgedThrough = revision
    }
    this.pushes.forget()
    for (const [deviceId, { atMs }] of [...this.#devices]) {
      const isActive = this.nowMs - atMs < RETENTION_MS
      if (!isActive && !this.#pushers.has(deviceId)) this.#devices.delete(deviceId)
    }
  }

  #seenWithin(ms: number): KnownDevice[] {
    return [...this.#devices.values()].filter(({ atMs }) => this.nowMs - atMs < ms)
  }

  #storeSightings(): void {
    for (const [deviceId, { cursor, atMs }] of this.#sightings) {
      const known = this.#devices.get(deviceId) ?? { cursor: 0, epoch: this.#epoch, atMs: 0 }
      const before = known.epoch === this.#epoch ? known.cursor : 0
      this.#devices.set(deviceId, {
        ...(cursor === undefined
          ? known
          : { cursor: Math.max(before, cursor), epoch: this.#epoch }),
        atMs: Math.max(known.atMs, atMs),
      })
    }
    this.#sightings.clear()
  }

  #beginEpoch(): void {
    if (!this.#isReopened) return
    this.#isReopened = false
    this.#epoch++
    this.pushes.head = (Math.floor(this.pushes.head / EPOCH_STRIDE) + 1) * EPOCH_STRIDE
  }
}

/** What a reader holds that follows the rules for pulls and for a re-sync. */
export class Replica {
  cursor = 0
  readonly states = new Map<string, string>()
  /** `purgedThrough` when the pull from 0 in hand began; undefined when there is none. */
  resyncPurged: number | undefined
  #seen: Set<string> | undefined
  pulled = { since: 0, atMs: 0 }

  apply(ops: readonly SyncOperation[], nextCursor: number, model: HousekeepingModel): void {
    if (this.cursor === 0) {
      this.#seen = new Set()
      this.resyncPurged = model.purgedThrough
    }
    this.pulled = { since: this.cursor, atMs: model.nowMs }
    for (const { entityId, entityVersion, entityCbor } of ops) {
      this.#seen?.add(entityId)
      if (entityCbor === null) this.states.delete(entityId)
      else this.states.set(entityId, stateText(entityVersion, entityCbor))
    }
    this.cursor = nextCursor
    if (nextCursor === model.pushes.head) this.#endResync()
  }

  #endResync(): void {
    for (const id of [...this.states.keys()]) {
      if (this.#seen?.has(id) === false) this.states.delete(id)
    }
    this.#seen = undefined
    this.resyncPurged = undefined
  }
}

export function stateText(revision: number, bytes: Uint8Array): string {
  return `${revision} ${Buffer.from(bytes).toString('hex')}`
}

/** What a replica must hold that has pulled everything. */
export function liveStates({ states }: PushModel): Map<string, string> {
  const live = new Map<string, string>()
  for (const [id, { revision, bytes }] of states) {
    if (bytes !== null) live.set(id, `${revision} ${bytes}`)
  }
  return live
}
