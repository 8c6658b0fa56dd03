/** One entity that a commit changed, decoded where somebody looks at it. Shared by all live queries it touches. */
import { bytesEqual } from '../store/bytes.ts'
import { entityOfRecord } from './entity-reader.ts'
import { type EntityVersion, rememberVersion } from './entity-version.ts'
import { decodeRecord, entityBytes, type StoredRecord } from './record.ts'
import type { RecordChange } from './record-changes.ts'

export class EntityChange implements RecordChange {
  readonly state: RecordChange['state']
  readonly id: string
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
  #entityBefore: object | undefined
  #entityAfter: object | undefined
  #keepsContent: boolean | undefined

  constructor({ state, id, before, after }: RecordChange) {
    this.state = state
    this.id = id
    this.before = before
    this.after = after
  }

  /** To look at, not to hand out. */
  get entityBefore(): object | undefined {
    if (this.before !== undefined) this.#entityBefore ??= this.#decode(this.before)
    return this.#entityBefore
  }

  /** To look at, not to hand out. */
  get entityAfter(): object | undefined {
    if (this.after !== undefined) this.#entityAfter ??= this.#decode(this.after)
    return this.#entityAfter
  }

  /** Only its version is another one. */
  get keepsContent(): boolean {
    this.#keepsContent ??= isSameContent(this.before, this.after)
    return this.#keepsContent
  }

  /** The entity as it is now, for one reader: what cannot be frozen is shared with nobody. */
  handOut(): object | undefined {
    return this.after === undefined ? undefined : this.#decode(this.after)
  }

  /** Of an object that has the content: which version it counts as. */
  renew(entity: object): void {
    if (this.after !== undefined) rememberVersion(entity, versionOfRecord(decodeRecord(this.after)))
  }

  #decode(record: Uint8Array): object {
    return entityOfRecord(this.state, this.id, decodeRecord(record), false)
  }
}

function versionOfRecord({ stamp, revision }: StoredRecord): EntityVersion {
  return { stamp, revision }
}

function isSameContent(before: Uint8Array | undefined, after: Uint8Array | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  const [old, now] = [decodeRecord(before), decodeRecord(after)]
  return old.schemaVersion === now.schemaVersion && bytesEqual(entityBytes(old), entityBytes(now))
}
