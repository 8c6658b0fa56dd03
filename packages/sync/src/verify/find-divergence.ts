/**
 * Names the entities of the collections whose digests differ: what is stored at a cursor is compared, entity
 * by entity, with what the server sends of it. Entities that the server has changed since are passed over: the
 * next pull brings them.
 *
 * Memory: names and digests of at most `NAMES_PER_PASS` entities at a time; more take several passes, each
 * of which pulls everything again.
 */
import { entityDigest, type SyncOperation } from '@entidb/protocol'
import { type EntityRef, entityKey, entityRef } from '../entity-ref.ts'
import { sameBytes } from '../same-bytes.ts'
import type { EngineSnapshot } from '../state/engine.ts'
import { type ServerSource, serverOperations } from './server-states.ts'
import { type StoredState, storedStates } from './stored-states.ts'
import type { DivergentEntity } from './verify-result.ts'

export interface DivergenceQuestion {
  readonly snapshot: EngineSnapshot
  /** The snapshot's. */
  readonly cursor: number
  readonly collections: ReadonlySet<string>
  /** Live entities on either side, about: how many passes it takes. */
  readonly entities: number
}

export interface Divergence {
  readonly divergent: readonly DivergentEntity[]
  /** There are more. */
  readonly more: boolean
}

/** What was found, and whether the server has changed anything since: what differed there is not named. */
export interface Finding extends Divergence {
  readonly moved: boolean
}

/** Some 30 MB. */
const NAMES_PER_PASS = 100_000
export const DIVERGENT_MAX = 10_000

interface Comparison {
  local: StoredState | undefined
  /** Undefined: not named up to the cursor. */
  server: { readonly version: number; readonly isLive: boolean; readonly same: boolean } | undefined
  /** The server has a newer state than the snapshot can have. */
  moved: boolean
}

export async function findDivergence(
  source: ServerSource,
  question: DivergenceQuestion,
  signal: AbortSignal,
  namesPerPass: number = NAMES_PER_PASS,
): Promise<Finding> {
  const passes = Math.max(1, Math.ceil(question.entities / namesPerPass))
  const divergent: DivergentEntity[] = []
  let moved = false
  for (let pass = 0; pass < passes && divergent.length <= DIVERGENT_MAX; pass++) {
    const isMine = (ref: EntityRef): boolean =>
      question.collections.has(ref.collection) && hashOf(entityKey(ref)) % passes === pass
    for (const [key, comparison] of await comparePass(source, question, isMine, signal)) {
      moved ||= comparison.moved
      divergent.push(...divergenceOf(key, comparison))
    }
  }
  return {
    divergent: divergent.slice(0, DIVERGENT_MAX),
    more: divergent.length > DIVERGENT_MAX,
    moved,
  }
}

async function comparePass(
  source: ServerSource,
  { snapshot, cursor, collections }: DivergenceQuestion,
  isMine: (ref: EntityRef) => boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Comparison>> {
  const comparisons = new Map<string, Comparison>()
  for await (const states of storedStates(snapshot, source.turn)) {
    signal.throwIfAborted()
    for (const state of states) {
      if (!isMine(state)) continue
      const key = entityKey(state)
      // One that is stored and evicted, too, is neither: the server's state puts that right.
      const local = comparisons.has(key) ? undefined : state
      comparisons.set(key, { local, server: undefined, moved: false })
    }
  }
  for await (const ops of serverOperations(source, collections, signal)) {
    for (const op of ops) if (isMine(op)) compare(comparisons, op, cursor)
  }
  return comparisons
}

function compare(comparisons: Map<string, Comparison>, op: SyncOperation, cursor: number): void {
  const key = entityKey(op)
  const comparison = comparisons.get(key) ?? { local: undefined, server: undefined, moved: false }
  comparisons.set(key, comparison)
  const { collection, entityId, entityVersion: version, entityCbor } = op
  if (version > cursor) {
    comparison.moved = true
    return
  }
  const { local } = comparison
  const same =
    entityCbor === null || local === undefined
      ? entityCbor === null && local === undefined
      : sameBytes(entityDigest(collection, entityId, version, entityCbor), local.digest)
  comparison.server = { version, isLive: entityCbor !== null, same }
}

function divergenceOf(
  key: string,
  { local, server, moved }: Comparison,
): readonly DivergentEntity[] {
  if (moved || server?.same === true) return []
  const versions = {
    ...entityRef(key),
    localVersion: local?.version ?? 0,
    serverVersion: server?.version ?? 0,
  }
  if (server === undefined || !server.isLive) return [{ ...versions, difference: 'extra' }]
  if (local === undefined) return [{ ...versions, difference: 'missing' }]
  return [{ ...versions, difference: local.version === server.version ? 'bytes' : 'revision' }]
}

/** FNV-1a: spreads names over passes. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
