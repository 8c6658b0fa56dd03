/** What an application of a device read since it began, so that it is known what a late write was made on. */
import { type Entity, type EntityVersion, versionOf } from '@entidb/core'
import type { LateBase } from '../oracle/oracle.ts'
import type { Written } from '../oracle/shapes.ts'

export class SeenEntities {
  readonly #storedByEntity = new WeakMap<object, Written>()
  readonly #entitiesByStamp = new Map<number, Entity>()

  /** `stored`: how, where that is known. It tells apart what reads the same. */
  add(entity: Entity, stored?: Written): void {
    this.#entitiesByStamp.set(versionOf(entity).stamp, entity)
    if (stored !== undefined) this.#storedByEntity.set(entity, stored)
  }

  /** Of what `basedOn` names. Error: TypeError for the version of what no read returned. */
  baseOf(base: Entity | EntityVersion): LateBase {
    const isPlainVersion = 'stamp' in base
    const entity = isPlainVersion ? this.#ofVersion(base as EntityVersion) : base
    const stored = entity && this.#storedByEntity.get(entity)
    return { entity, stored, isPlainVersion }
  }

  /** It begins anew: its files may be others then, which name other states by the same stamps. */
  clear(): void {
    this.#entitiesByStamp.clear()
  }

  #ofVersion({ stamp }: EntityVersion): Entity | undefined {
    if (stamp === 0) return undefined
    const entity = this.#entitiesByStamp.get(stamp)
    if (entity !== undefined) return entity
    throw new TypeError(
      'basedOn names a version that get, getMany, find, first and findPage of an action did not return on this device since it booted',
    )
  }
}
