/** Which stored state an entity object is: remembered for every object that a read handed out. */
import type { Entity } from './collection-definition.ts'
import type { CollectionState } from './collection-state.ts'
import type { EntityStamp } from './entity-stamp.ts'

/** Names one stored state of one entity; plain data, may be kept and passed on. */
export interface EntityVersion extends EntityStamp {
  /** The replicated revision known when it was read: the one its edits were made on. 0: none. */
  readonly revision: number
}

/** A version of the shape of a collection's entities. */
export type EntityShape = Pick<CollectionState, 'name' | 'schemaVersion'>

/** What is remembered of an object. */
export interface KnownVersion extends EntityVersion {
  /** The one that the object has. */
  readonly shape: EntityShape
}

class Returning {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: it is what puts the field onto an object made elsewhere
    return object
  }
}

/**
 * A private field on the entity itself, which nobody else can see or copy. A `WeakMap` would do the same,
 * and cost as much as all the rest of decoding an entity.
 */
class Versioned extends Returning {
  #version: KnownVersion | undefined

  static set(entity: object, version: KnownVersion): void {
    if (#version in entity) entity.#version = version
  }

  static get(entity: object): KnownVersion | undefined {
    return #version in entity ? entity.#version : undefined
  }
}

/** Gives an entity, not frozen yet, the place for `rememberVersion`. */
export function makeVersioned(entity: object): void {
  new Versioned(entity)
}

export const rememberVersion: (entity: object, version: KnownVersion) => void = Versioned.set

export const knownVersion: (entity: object) => KnownVersion | undefined = Versioned.get

/** Of what is stored in `schemaVersion`, as it is read: older code has what a newer one wrote as it is. */
export function shapeOf(state: EntityShape, schemaVersion: number): EntityShape {
  return schemaVersion > state.schemaVersion ? { name: state.name, schemaVersion } : state
}

/**
 * The version of an entity as a read returned it, for `put(..., { ifVersion })`. Of undefined: the
 * version of an entity that does not exist.
 *
 * @throws TypeError for an object that no read of EntiDB returned, and for what `select` left of an entity.
 *
 * @example
 * const person = await people.get('p1')
 * await people.put(edited, { ifVersion: versionOf(person) }) // error entity_changed if it moved
 */
export function versionOf(entity: Entity | undefined): EntityVersion {
  if (entity === undefined) return { stamp: 0, revision: 0 }
  const version = knownVersion(entity)
  if (version === undefined) {
    throw new TypeError('versionOf needs the very entity that a read returned, no copy or part')
  }
  return { stamp: version.stamp, revision: version.revision }
}
