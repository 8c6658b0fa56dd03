/** Which stored state an entity object is: remembered for every object that a read handed out. */
import type { Entity } from './collection-definition.ts'
import type { EntityStamp } from './entity-stamp.ts'

/** Names one stored state of one entity; plain data, may be kept and passed on. */
export interface EntityVersion extends EntityStamp {
  /** The replicated revision known when it was read: the one its edits were made on. 0: none. */
  readonly revision: number
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
  #version: EntityVersion | undefined

  static set(entity: object, version: EntityVersion): void {
    if (#version in entity) entity.#version = version
  }

  static get(entity: object): EntityVersion | undefined {
    return #version in entity ? entity.#version : undefined
  }
}

/** Gives an entity, not frozen yet, the place for `rememberVersion`. */
export function makeVersioned(entity: object): void {
  new Versioned(entity)
}

export function rememberVersion(entity: object, version: EntityVersion): void {
  Versioned.set(entity, version)
}

export function knownVersion(entity: object): EntityVersion | undefined {
  return Versioned.get(entity)
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
    throw new TypeError(
      'versionOf needs the very entity that a read returned, not a copy or a selected part of it',
    )
  }
  return { stamp: version.stamp, revision: version.revision }
}
