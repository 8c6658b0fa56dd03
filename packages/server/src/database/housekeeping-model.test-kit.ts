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

interface KnownDevice {
  readonly cursor: number
  readonly atMs: number
}

export class HousekeepingModel {
  readonly pushes: PushModel
  nowMs: number = 1_700_000_000_000
  compactedThrough = 0
  purgedThrough = 0
  readonly #devices = new Map<string, KnownDevice>()
  /** By revision, in cursor order. */
  readonly #tombstones = new Map<number, { readonly entityId: string; readonly atMs: number }>()
  #isReopened = false

  constructor(head: number) {
    this.pushes = new PushModel(head)
  }

  push(deviceId: string, ops: readonly SyncOperation[]): ReturnType<PushModel['push']> {
    this.#beginEpoch()
    const headBefore = this.pushes.head
    const fates = this.pushes.push(ops)
    if (fates !== 'op_id_reused' && ops.length > 0) this.see(deviceId, 0)
    for (const { revision, entityId, bytes } of this.pushes.oplog) {
      if (revision > headBefore && bytes === null) {
        this.#tombstones.set(revision, { entityId, atMs: this.nowMs })
      }
    }
    return fates
  }

  see(deviceId: string, cursor: number): void {
    const known = this.#devices.get(deviceId)?.cursor ?? 0
    this.#devices.set(deviceId, { cursor: Math.max(known, cursor), atMs: this.nowMs })
  }

  /** Deletes may have been purged that the replica needs: not those from before its pull from 0 began. */
  isExpired({ cursor, resyncHead = 0 }: Replica): boolean {
    return cursor > 0 && cursor < this.purgedThrough && resyncHead < this.purgedThrough
  }

  reopen(): void {
    this.#isReopened = true
  }

  housekeep(): void {
    const live = this.#seenWithin(LIVE_MS).filter(({ cursor }) => cursor > 0)
    const horizon = Math.min(this.pushes.head, ...live.map(({ cursor }) => cursor))
    this.compactedThrough = Math.max(this.compactedThrough, horizon)
    this.pushes.compact(this.compactedThrough)
    const seen = Math.min(...this.#seenWithin(RETENTION_MS).map(({ cursor }) => cursor))
    for (const [revision, { entityId, atMs }] of [...this.#tombstones]) {
      if (this.nowMs - atMs < RETENTION_MS || revision > seen) break
      if (revision > this.compactedThrough) break
      this.#tombstones.delete(revision)
      if (this.pushes.states.get(entityId)?.revision !== revision) continue
      this.pushes.purge(revision)
      this.purgedThrough = revision
    }
    this.pushes.forget()
  }

  #seenWithin(ms: number): KnownDevice[] {
    return [...this.#devices.values()].filter(({ atMs }) => this.nowMs - atMs < ms)
  }

  #beginEpoch(): void {
    if (!this.#isReopened) return
    this.#isReopened = false
    this.pushes.head = (Math.floor(this.pushes.head / EPOCH_STRIDE) + 1) * EPOCH_STRIDE
  }
}

/** What a reader holds that follows the rules for pulls and for a re-sync. */
export class Replica {
  cursor = 0
  readonly states = new Map<string, string>()
  /** The head when the pull from 0 in hand began; undefined when there is none. */
  resyncHead: number | undefined
  #seen: Set<string> | undefined

  apply(ops: readonly SyncOperation[], nextCursor: number, head: number): void {
    if (this.cursor === 0) {
      this.#seen = new Set()
      this.resyncHead = head
    }
    for (const { entityId, entityVersion, entityCbor } of ops) {
      this.#seen?.add(entityId)
      if (entityCbor === null) this.states.delete(entityId)
      else this.states.set(entityId, stateText(entityVersion, entityCbor))
    }
    this.cursor = nextCursor
    if (nextCursor === head) this.#endResync()
  }

  #endResync(): void {
    for (const id of [...this.states.keys()]) {
      if (this.#seen?.has(id) === false) this.states.delete(id)
    }
    this.#seen = undefined
    this.resyncHead = undefined
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
