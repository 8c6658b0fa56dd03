/** Conflicts as the application and its resolver see them. */
import type { EntityRef } from '../entity-ref.ts'

/** An entity as sync hands it out: decoded and frozen. A typed resolver narrows it by collection. */
export type SyncedEntity = Readonly<Record<string, unknown>> & { readonly id: string }

/** An entity as this device has it. */
export interface LocalSide extends EntityRef {
  readonly opType: 'PUT' | 'DELETE'
  /** The newest local state; null when deleted. */
  readonly entity: SyncedEntity | null
}

/** An entity as the server has it. */
export interface RemoteSide {
  /** 0: the server never had it, or forgot it. */
  readonly entityVersion: number
  /** Null when deleted or absent. */
  readonly entity: SyncedEntity | null
}

/** How a conflict ends. */
export type Resolution =
  /** The local edits of the whole group are dropped. */
  | { readonly type: 'takeRemote' }
  /** The whole group is pushed again on what the server has now. */
  | { readonly type: 'keepLocal' }
  /** As `keepLocal`, with this entity (of the same id) in place of the local one. */
  | { readonly type: 'merge'; readonly entity: SyncedEntity }
  /** Stays listed and held. */
  | { readonly type: 'defer' }

/** What a resolver may look at besides the two sides. */
export interface ResolveContext {
  /** The last state both sides had in common; undefined when this device does not have it. */
  readonly base: RemoteSide | undefined
  /** The other local edits that stand or fall with this one. */
  readonly group: readonly LocalSide[]
  /** Aborted when the time limit passed or sync stopped. */
  readonly signal: AbortSignal
}

/** One entity of a group, with both sides of it. */
export interface GroupMember {
  readonly local: LocalSide
  /** Undefined when the server did not change this member. */
  readonly remote: RemoteSide | undefined
  readonly base: RemoteSide | undefined
}

/**
 * Decides conflicts. `resolve` is asked for each conflicting entity of a group: one `takeRemote` drops
 * the whole group, one `defer` holds it. `resolveGroup`, where present, is asked instead when a group has
 * more than one member, and answers for each member in order, or once for all.
 */
export interface ConflictResolver {
  resolve(
    local: LocalSide,
    remote: RemoteSide,
    context: ResolveContext,
  ): Resolution | Promise<Resolution>
  resolveGroup?(
    members: readonly GroupMember[],
    context: { readonly signal: AbortSignal },
  ): Resolution | readonly Resolution[] | Promise<Resolution | readonly Resolution[]>
}

/** A conflict that nobody has settled. */
export interface OpenConflict extends EntityRef {
  /** Names this pair of states, and the local edits of the group; when one of them moves it is another one. */
  readonly id: string
  readonly local: LocalSide
  readonly remote: RemoteSide
  readonly base: RemoteSide | undefined
  /** The other local edits that stand or fall with this one. A new array each time that it is read. */
  readonly group: readonly LocalSide[]
  /** Milliseconds since 1970. */
  readonly since: number
}
