/**
 * What is stored, read from one snapshot in steps short enough for everything else to go on between them:
 * the digest contribution of every live entity that the server has named.
 */
import type { ReplicaEntry } from '@entidb/core/replication'
import { entityDigest } from '@entidb/protocol'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import type { EngineSnapshot } from '../state/engine.ts'
import { EVICTED_COLLECTION, type EvictedRow } from '../state/rows.ts'

export interface StoredState extends EntityRef {
  readonly version: number
  /** What it adds to the digest, 32 bytes. */
  readonly digest: Uint8Array
  /** Local edits of it are not settled; the digest is of the edited state. */
  readonly pending: boolean
}

/** A step hashes about this much, or one entity that is larger: some milliseconds. */
const STEP_BYTES = 128 * 1024
/** Entities that are read at once, whatever their size. */
const READ_ENTRIES_MAX = 128
const FIRST_READ_ENTRIES = 16
/** Of an entity of no bytes: its names are hashed, too. */
const ENTRY_BYTES = 128
const NO_BYTES = new Uint8Array(0)

/**
 * Live entities and pending deletes, by collection and id, then evicted entities; step by step, and `turn` is
 * called after each.
 */
export async function* storedStates(
  snapshot: EngineSnapshot,
  turn: () => Promise<void>,
): AsyncGenerator<readonly StoredState[]> {
  let after: EntityRef | undefined
  let entriesMax = FIRST_READ_ENTRIES
  for (;;) {
    const entries = await snapshot.scan({ ...(after === undefined ? {} : { after }), entriesMax })
    const last = entries.at(-1)
    if (last === undefined) break
    for (const step of stepsOf(entries)) {
      yield step.filter(isThere).map(stateOf)
      await turn()
    }
    after = { collection: last.collection, entityId: last.entityId }
    const fitting = Math.floor((STEP_BYTES * entries.length) / bytesOf(entries))
    entriesMax = Math.max(1, Math.min(READ_ENTRIES_MAX, fitting))
  }
  let evicted: StoredState[] = []
  for await (const row of snapshot.rows(EVICTED_COLLECTION)) {
    // As sync wrote it.
    evicted.push(evictedState(row as EvictedRow))
    if (evicted.length < READ_ENTRIES_MAX) continue
    yield evicted
    evicted = []
    await turn()
  }
  if (evicted.length > 0) yield evicted
}

/** The state of one entity; undefined when it is neither there nor evicted. */
export async function findStored(
  snapshot: EngineSnapshot,
  ref: EntityRef,
): Promise<StoredState | undefined> {
  const entry = await snapshot.find(ref)
  if (entry !== undefined && isThere(entry)) return stateOf(entry)
  // As sync wrote it.
  const row = (await snapshot.get(EVICTED_COLLECTION, entityKey(ref))) as EvictedRow | undefined
  return row === undefined ? undefined : evictedState(row)
}

function isThere({ deleted, pending }: ReplicaEntry): boolean {
  return pending || !deleted
}

function evictedState({ collection, entityId, version, digest }: EvictedRow): StoredState {
  return { collection, entityId, version, digest, pending: false }
}

function stepsOf(entries: readonly ReplicaEntry[]): readonly (readonly ReplicaEntry[])[] {
  if (bytesOf(entries) <= STEP_BYTES || entries.length === 1) return [entries]
  const middle = entries.length >>> 1
  return [...stepsOf(entries.slice(0, middle)), ...stepsOf(entries.slice(middle))]
}

function bytesOf(entries: readonly ReplicaEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + ENTRY_BYTES + (bytes?.length ?? 0), 0)
}

function stateOf({ collection, entityId, version, pending, bytes }: ReplicaEntry): StoredState {
  const digest = entityDigest(collection, entityId, version, bytes ?? NO_BYTES)
  return { collection, entityId, version, pending, digest }
}
