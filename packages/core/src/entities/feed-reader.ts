/** Reads the change feed from a view of the store. */
import { decodeFrozenEntity } from '../cbor/entity-decoder.ts'
import type { Reader } from '../store/key-value-store.ts'
import { decodeFeedRow, FEED_TABLE, type FeedEntry, feedKey, opIdOfKey } from './feed-row.ts'
import type { DbOperation, OpType } from './operation.ts'
import type { DatabaseIdentity } from './replication.ts'
import { takeEntries } from './scan.ts'
import { type Steps, wait } from './steps.ts'

export interface FeedRange {
  /** Operations with a higher opId. */
  readonly after: number
  /** Operations up to this one. */
  readonly through: number
}

export interface FeedBounds {
  readonly opsMax: number
  /** Stored bytes; one operation is read even if it is larger. */
  readonly bytesMax: number
}

const BATCH = 256

/** The highest opId in the feed, 0 when it is empty. */
export function* readFeedHead(view: Reader): Steps<number> {
  const { keys } = yield* wait(view.scan(FEED_TABLE, { reverse: true }).next(1))
  const [key] = keys
  return key === undefined ? 0 : opIdOfKey(key)
}

/** Operations in order, as many as the bounds allow. */
export function* readFeedEntries(
  view: Reader,
  { after, through }: FeedRange,
  { opsMax, bytesMax }: FeedBounds,
): Steps<readonly FeedEntry[]> {
  const entries: FeedEntry[] = []
  const cursor = view.scan(FEED_TABLE, { gt: feedKey(after), lte: feedKey(through) })
  let bytes = 0
  while (entries.length < opsMax) {
    const { keys, values } = yield* wait(cursor.next(Math.min(BATCH, opsMax - entries.length)))
    if (keys.length === 0) break
    for (let i = 0; i < keys.length; i++) {
      // Keys and values belong together.
      const row = values[i] as Uint8Array
      bytes += row.length
      if (bytes > bytesMax && entries.length > 0) return entries
      entries.push(decodeFeedRow(opIdOfKey(keys[i] as Uint8Array), row))
    }
  }
  return entries
}

/**
 * As `readFeedEntries`, but ends at the end of a transaction; only one that exceeds the bounds alone is
 * cut in the middle.
 */
export function* readWholeTransactions(
  view: Reader,
  range: FeedRange,
  bounds: FeedBounds,
): Steps<readonly FeedEntry[]> {
  const entries = yield* readFeedEntries(view, range, bounds)
  const lastWhole = entries.findLastIndex(({ transactionLast }) => transactionLast)
  return lastWhole < 0 ? entries : entries.slice(0, lastWhole + 1)
}

/** Removes operations up to `through`, at most `rowsMax` of them; answers the last one removed. */
export function* removeFeedEntries(
  view: Reader & { delete(table: string, key: Uint8Array): boolean | Promise<boolean> },
  through: number,
  rowsMax: number,
): Steps<number> {
  const cursor = view.scan(FEED_TABLE, { lte: feedKey(through) })
  const { keys } = yield* takeEntries(cursor, rowsMax)
  let last = 0
  for (const key of keys) {
    yield* wait(view.delete(FEED_TABLE, key))
    last = opIdOfKey(key)
  }
  return last
}

/** An operation whose payload is decoded when somebody looks at it. */
class FeedOperation implements DbOperation {
  readonly opId: number
  readonly dbId: string
  readonly deviceId: string
  readonly collection: string
  readonly entityId: string
  readonly opType: OpType
  readonly payloadCbor: Uint8Array | null
  readonly entityVersion: number
  readonly schemaVersion: number
  readonly timestampMs: number
  readonly origin: string
  readonly transactionId: number
  readonly transactionLast: boolean
  readonly staleBase: boolean
  #payload: unknown

  constructor(entry: FeedEntry, identity: DatabaseIdentity) {
    this.opId = entry.opId
    this.dbId = identity.databaseId
    this.deviceId = identity.deviceId
    this.collection = entry.collection
    this.entityId = entry.entityId
    this.opType = entry.payload === null ? 'DELETE' : 'PUT'
    this.payloadCbor = entry.payload
    this.entityVersion = entry.entityVersion
    this.schemaVersion = entry.schemaVersion
    this.timestampMs = entry.timestampMs
    this.origin = entry.origin
    this.transactionId = entry.transactionId
    this.transactionLast = entry.transactionLast
    this.staleBase = entry.staleBase
  }

  get payload(): unknown {
    if (this.payloadCbor === null) return null
    this.#payload ??= decodeFrozenEntity(this.payloadCbor).value
    return this.#payload
  }
}

export function toOperation(entry: FeedEntry, identity: DatabaseIdentity): DbOperation {
  return new FeedOperation(entry, identity)
}
