/** One entity that a commit changed, decoded where somebody looks at it. Shared by all live queries it touches. */
import { bytesEqual } from '../store/bytes.ts'
import { entityOfRecord } from './entity-reader.ts'
import { rememberVersion, shapeOf } from './entity-version.ts'
import type { FieldExtractor } from './field-extractor.ts'
import { indexedForm } from './indexed-form.ts'
import { decodeRecord, entityBytes, seenRevisionOf } from './record.ts'
import type { RecordChange } from './record-changes.ts'

export class EntityChange implements RecordChange {
  readonly state: RecordChange['state']
  readonly id: string
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array | undefined
  #entityBefore: object | undefined
  #entityAfter: object | undefined
  #keepsContent: boolean | undefined
  #changesShape: boolean | undefined

  constructor({ state, id, before, after }: RecordChange) {
    this.state = state
    this.id = id
    this.before = before
    this.after = after
  }

  /**
   * What live queries are found by: the fields that they look at, before and after. An entity that no migration
   * brings up counts as it is stored, as it does in indexes.
   */
  forms(extractor: FieldExtractor): readonly object[] {
    return extractor.extract(this.#formOf(this.before), this.#formOf(this.after))
  }

  /** To look at, not to hand out. Error: `migration_failed`. */
  get entityBefore(): object | undefined {
    if (this.before !== undefined) this.#entityBefore ??= this.#decode(this.before)
    return this.#entityBefore
  }

  /** To look at, not to hand out. Error: `migration_failed`. */
  get entityAfter(): object | undefined {
    if (this.after !== undefined) this.#entityAfter ??= this.#decode(this.after)
    return this.#entityAfter
  }

  /** Stored as it was, but for its version. */
  get keepsContent(): boolean {
    this.#compare()
    return this.#keepsContent === true
  }

  /** Stored in another version of its shape: only the entities themselves tell whether they are the same. */
  get changesShape(): boolean {
    this.#compare()
    return this.#changesShape === true
  }

  /** The entity as it is now, for one reader: what cannot be frozen is shared with nobody. */
  handOut(): object | undefined {
    return this.after === undefined ? undefined : this.#decode(this.after)
  }

  /** Of an object that has the content: which version it counts as. */
  renew(entity: object): void {
    if (this.after === undefined) return
    const { stamp, schemaVersion } = decodeRecord(this.after)
    const shape = shapeOf(this.state, schemaVersion)
    rememberVersion(entity, { stamp, revision: seenRevisionOf(this.after), shape })
  }

  #compare(): void {
    if (this.#keepsContent !== undefined) return
    this.#keepsContent = this.before === this.after
    this.#changesShape = false
    if (this.before === undefined || this.after === undefined) return
    const [old, now] = [decodeRecord(this.before), decodeRecord(this.after)]
    this.#changesShape = old.schemaVersion !== now.schemaVersion
    this.#keepsContent = !this.#changesShape && bytesEqual(entityBytes(old), entityBytes(now))
  }

  #formOf(record: Uint8Array | undefined): Uint8Array | undefined {
    if (record === undefined) return undefined
    return indexedForm(this.state, this.id, decodeRecord(record)).bytes
  }

  #decode(record: Uint8Array): object {
    return entityOfRecord(this.state, this.id, decodeRecord(record), false)
  }
}
