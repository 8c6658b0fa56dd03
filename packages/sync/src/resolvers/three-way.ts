/** Resolvers that merge both edits field by field. */

import type { ConflictResolver, Resolution } from '../conflicts/conflict-types.ts'
import type { EntityRef } from '../entity-ref.ts'
import { byCollection } from './by-collection.ts'
import { type FieldSides, type MergeOptions, mergeThreeWay } from './merge-three-way.ts'

/** A field that both sides changed, to different values. */
export interface ContestedField extends FieldSides, EntityRef {}

/** What a three-way merge cannot know by itself. */
export interface MergePolicy extends MergeOptions {
  /**
   * A field that both sides changed differently: `defer` (the default) leaves the conflict to the application,
   * a function gives the value, undefined to leave the field out.
   */
  readonly contested?: 'defer' | 'local' | 'remote' | ((field: ContestedField) => unknown)
  /** Deleted on one side, edited on the other: `defer` is the default. */
  readonly deleted?: 'defer' | 'keepEdit' | 'delete'
}

/**
 * Merges conflicts field by field on the common base. With no policy, what both sides changed differently
 * stays a conflict for the application: nobody's value is dropped.
 */
export function threeWay(policy: MergePolicy = {}): ConflictResolver {
  const { contested = 'defer', deleted = 'defer', objects = 'whole' } = policy
  assertOneOf('contested', contested, ['defer', 'local', 'remote'], typeof contested === 'function')
  assertOneOf('deleted', deleted, ['defer', 'keepEdit', 'delete'])
  assertOneOf('objects', objects, ['whole', 'byField'])
  return {
    resolve(local, remote, { base }): Resolution {
      if (local.entity === null || remote.entity === null) {
        return resolveDeleted(local.entity === null, deleted)
      }
      let isOpen = false
      const { collection, entityId } = local
      const decide = (sides: FieldSides): unknown => {
        if (typeof contested === 'function') return contested({ ...sides, collection, entityId })
        if (contested === 'defer') isOpen = true
        return contested === 'remote' ? sides.remote : sides.local
      }
      const sides = [base?.entity, local.entity, remote.entity] as const
      const { entity } = mergeThreeWay(...sides, decide, { objects })
      return isOpen ? { type: 'defer' } : { type: 'merge', entity }
    },
  }
}

/**
 * `threeWay` for the collections that are named, conflicts in others stay with the application.
 *
 * @example
 * mergeFields({ people: 'three-way', counters: { contested: ({ local, remote }) => Math.max(local, remote) } })
 */
export function mergeFields(
  policies: Readonly<Record<string, 'three-way' | MergePolicy>>,
): ConflictResolver {
  const resolvers = Object.entries(policies).map(([collection, policy]) => {
    if (policy !== 'three-way' && typeof policy !== 'object') {
      throw new TypeError(
        `The policy of ${collection} is 'three-way' or { contested, deleted, objects }`,
      )
    }
    return [collection, threeWay(policy === 'three-way' ? {} : policy)] as const
  })
  return byCollection(Object.fromEntries(resolvers))
}

function resolveDeleted(isLocal: boolean, policy: 'defer' | 'keepEdit' | 'delete'): Resolution {
  if (policy === 'defer') return { type: 'defer' }
  // The side that deleted wins for 'delete', the other one for 'keepEdit'.
  return { type: isLocal === (policy === 'delete') ? 'keepLocal' : 'takeRemote' }
}

function assertOneOf(
  option: string,
  value: unknown,
  known: readonly unknown[],
  isOther = false,
): void {
  if (isOther || known.includes(value)) return
  throw new TypeError(`${option} is one of ${known.join(', ')}, not ${String(value)}`)
}
