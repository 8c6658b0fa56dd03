/** The table of `replication.ts` as the plainest program: one object for each entity. */
import type { ReplicatedState } from './replication.ts'

export interface ModelEntity {
  /** What readers see; null: no entity. */
  readonly local: string | null
  readonly pending: boolean
  readonly opId: number
  readonly base: ModelState
}

export interface ModelState {
  readonly version: number
  readonly content: string | null
}

export const UNKNOWN: ModelEntity = {
  local: null,
  pending: false,
  opId: 0,
  base: { version: 0, content: null },
}

/** A local edit; deleting what is not there is none. */
export function edited(entity: ModelEntity, local: string | null, opId: number): ModelEntity {
  return { ...entity, local, pending: true, opId }
}

export function applied(state: ModelState): ModelEntity {
  return { local: state.content, pending: false, opId: 0, base: state }
}

export function settled(
  entity: ModelEntity,
  committed: ModelState,
  throughOpId: number,
): ModelEntity {
  if (!entity.pending) return entity
  return entity.opId > throughOpId ? { ...entity, base: committed } : applied(committed)
}

export function touched(entity: ModelEntity, opId: number): ModelEntity {
  return { ...entity, pending: true, opId }
}

export function isKnown(entity: ModelEntity): boolean {
  return entity.pending || entity.local !== null || entity.base.version > 0
}

export function toState(
  { version, content }: ModelState,
  encode: (content: string) => Uint8Array,
): ReplicatedState {
  return { version, schemaVersion: 1, bytes: content === null ? null : encode(content) }
}
