/** The kinds of a page that is being packed. An operation is decoded only where its kind is not one of the first. */
import type { SyncOperation } from '../messages.ts'
import { decodeSyncOperation } from '../sync-operation.ts'
import type { PackedKind } from './columns.ts'
import { KindTemplate, type OperationContent } from './kind-template.ts'
import type { OperationKind } from './packed-operations.ts'

/** So many kinds are tried before an operation is decoded to find its own. */
const TRIED_KINDS = 8

export class PageKind implements PackedKind {
  readonly index: number
  readonly #template: KindTemplate
  opId = 0
  tx = 0
  timestampMs = 0
  shape = -1

  constructor(kind: OperationKind, index: number) {
    this.index = index
    this.#template = new KindTemplate(kind)
  }

  /** Undefined for an operation of another kind, or one whose clock is too far from the last one's to be told from it. */
  contentOf(operation: Uint8Array): OperationContent | undefined {
    const content = this.#template.contentOf(operation)
    const timestampMs = content?.timestampMs ?? this.timestampMs
    return Number.isSafeInteger(timestampMs - this.timestampMs) ? content : undefined
  }
}

export class PageKinds {
  readonly all: OperationKind[] = []
  readonly #first: PageKind[] = []
  readonly #newestByName = new Map<string, PageKind>()

  /** One that it fits; a new one if there is none. */
  kindOf(operation: Uint8Array): PageKind {
    for (const tried of this.#first) {
      if (tried.contentOf(operation) !== undefined) return tried
    }
    const kind = commonOf(decodeSyncOperation(operation))
    const name = JSON.stringify(kind)
    const newest = this.#newestByName.get(name)
    if (newest?.contentOf(operation) !== undefined) return newest
    const begun = new PageKind(kind, this.all.length)
    if (this.#first.length < TRIED_KINDS) this.#first.push(begun)
    this.all.push(kind)
    this.#newestByName.set(name, begun)
    return begun
  }
}

function commonOf(operation: SyncOperation): OperationKind {
  const { dbId, deviceId, collection, opType, schemaVersion, tx, timestampMs } = operation
  return {
    dbId,
    deviceId,
    collection,
    opType,
    ...(schemaVersion === undefined ? {} : { schemaVersion }),
    ...(tx === undefined ? {} : { hasTx: true }),
    ...(timestampMs === undefined ? {} : { hasTimestampMs: true }),
  }
}
