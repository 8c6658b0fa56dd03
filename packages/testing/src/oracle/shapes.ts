/**
 * What code of one version makes of bytes that another version wrote: computed from the definitions, and from nothing
 * that the database does.
 */
import type { CollectionDefinitions } from '@entidb/core'
import { decodeEntity, encodeEntity } from '@entidb/core/cbor'

/** An entity as it is stored: in which version of its collection's shape it was written, too. */
export interface Written {
  readonly bytes: Uint8Array
  readonly schemaVersion: number
}

type Map = Readonly<Record<string, unknown>>

export class Shapes {
  readonly #versions: readonly CollectionDefinitions[]

  /** The collections of each version of the application, oldest first. */
  constructor(versions: readonly CollectionDefinitions[]) {
    this.#versions = versions
  }

  /** The bytes of what version `version` of the application, from 1, reads. */
  read(version: number, key: string, { bytes, schemaVersion }: Written): Uint8Array {
    const { version: wanted = 1, migrations = {} } = this.#definition(version, key)
    if (schemaVersion >= wanted) return bytes
    let entity: unknown = decodeEntity(bytes)
    for (let step = schemaVersion + 1; step <= wanted; step++) entity = migrations[step]?.(entity)
    return encodeEntity(entity as { readonly id: string }) // migrations keep the id
  }

  /**
   * In which version an edit counts as written: that of the code, unless it was made over what a newer version wrote,
   * and kept every field of it.
   */
  versionOfEdit(version: number, key: string, edit: Uint8Array, over: Written | undefined): number {
    const { version: own = 1 } = this.#definition(version, key)
    if (over === undefined || over.schemaVersion <= own) return own
    const [before, after] = [decodeEntity(over.bytes) as Map, decodeEntity(edit) as Map] // entities are maps
    const keepsAll = Object.keys(before).every((name) => Object.hasOwn(after, name))
    return keepsAll ? over.schemaVersion : own
  }

  #definition(version: number, key: string): CollectionDefinitions[string] {
    const name = key.slice(0, key.indexOf('/'))
    const definition = this.#versions[version - 1]?.[name]
    if (definition === undefined) throw new RangeError(`version ${version} has no ${name}`)
    return definition
  }
}
