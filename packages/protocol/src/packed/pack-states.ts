/** Packs operations whose fields are at hand. */
import { beginColumns, type PackedKind, takeColumns, writeContent } from './columns.ts'
import type { OperationKind, PackedOperations } from './packed-operations.ts'

/** Who wrote it, and where. */
export interface StateKind {
  readonly deviceId: string
  readonly collection: string
  /** Absent means 1. */
  readonly schemaVersion?: number
}

/** The newest operation of an entity, as it is stored. */
export interface EntityState {
  readonly kind: StateKind
  readonly opId: number
  readonly revision: number
  /** The id as it is encoded: a CBOR text. */
  readonly entityId: Uint8Array
  /** Null for a tombstone. */
  readonly entity: Uint8Array | null
  readonly timestampMs: number | undefined
}

/** `states`: by revision; anything else is a `TypeError`. */
export function packStates(dbId: string, states: readonly EntityState[]): PackedOperations {
  const kinds = new StateKinds(dbId)
  beginColumns()
  let revision = 0
  for (const state of states) {
    if (state.revision <= revision) throw new TypeError('Not the states of a page')
    const { opId, entityId, entity, timestampMs } = state
    const content = { opId, revision: state.revision, entityId, entity, tx: undefined, timestampMs }
    writeContent(content, kinds.kindOf(state), revision)
    revision = state.revision
  }
  return { kinds: kinds.all, ...takeColumns() }
}

class StateKinds {
  readonly all: OperationKind[] = []
  readonly #dbId: string
  readonly #newestByName = new Map<string, PackedKind>()
  /** Of the last state, which is often of the kind of the next one. */
  #last: EntityState | undefined
  #lastKind: PackedKind | undefined

  constructor(dbId: string) {
    this.#dbId = dbId
  }

  kindOf(state: EntityState): PackedKind {
    let kind = this.#lastKind
    if (kind === undefined || this.#last === undefined || !isAlike(this.#last, state)) {
      kind = this.#newestByName.get(nameOf(state)) ?? this.#begin(state)
    }
    // A clock too far from the last one cannot be told from it.
    const { timestampMs = kind.timestampMs } = state
    if (!Number.isSafeInteger(timestampMs - kind.timestampMs)) kind = this.#begin(state)
    this.#last = state
    this.#lastKind = kind
    return kind
  }

  #begin(state: EntityState): PackedKind {
    const { deviceId, collection, schemaVersion } = state.kind
    const begun = { index: this.all.length, opId: 0, tx: 0, timestampMs: 0, shape: -1 }
    this.all.push({
      dbId: this.#dbId,
      deviceId,
      collection,
      opType: state.entity === null ? 'DELETE' : 'PUT',
      ...(schemaVersion === undefined ? {} : { schemaVersion }),
      ...(state.timestampMs === undefined ? {} : { hasTimestampMs: true }),
    })
    this.#newestByName.set(nameOf(state), begun)
    return begun
  }
}

function isAlike(a: EntityState, b: EntityState): boolean {
  return (
    a.kind.deviceId === b.kind.deviceId &&
    a.kind.collection === b.kind.collection &&
    a.kind.schemaVersion === b.kind.schemaVersion &&
    (a.entity === null) === (b.entity === null) &&
    (a.timestampMs === undefined) === (b.timestampMs === undefined)
  )
}

function nameOf({ kind, entity, timestampMs }: EntityState): string {
  const { deviceId, collection, schemaVersion = -1 } = kind
  // No name holds a slash.
  const parts = [deviceId, collection, schemaVersion, entity === null, timestampMs === undefined]
  return parts.join('/')
}
