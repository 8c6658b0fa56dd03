/**
 * What is stored, read from one snapshot in steps short enough for everything else to go on between them:
 * the digest contribution of every live entity that the server has named.
 */
import type { ReplicaEntry } from '@entidb/core/replication'
import { entityDigest } from '@entidb/protocol'
import type { EntityRef } from '../entity-ref.ts'
import type { EngineSnapshot } from '../state/engine.ts'

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

/** Live entities and pending deletes, by collection and id, step by step; `turn` is called after each. */
export async function* storedStates(
  snapshot: EngineSnapshot,
  turn: () => Promise<void>,
): AsyncGenerator<readonly StoredState[]> {
  let after: EntityRef | undefined
  let entriesMax = FIRST_READ_ENTRIES
  for (;;) {
    const entries = await snapshot.scan({ ...(after === undefined ? {} : { after }), entriesMax })
    const last = entries.at(-1)
    if (last === undefined) return
    for (const step of stepsOf(entries)) {
      yield step.filter(({ deleted, pending }) => pending || !deleted).map(stateOf)
      await turn()
    }
    after = { collection: last.collection, entityId: last.entityId }
    const fitting = Math.floor((STEP_BYTES * entries.length) / bytesOf(entries))
    entriesMax = Math.max(1, Math.min(READ_ENTRIES_MAX, fitting))
  }
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
