/** One resolver made of several. */
import type { ConflictResolver } from '../conflicts/conflict-types.ts'

/**
 * Asks for each conflicting entity the resolver of its collection; conflicts of other collections stay with the
 * application. In a group of several collections each entity is still asked about by itself, and as with
 * any resolver one `takeRemote` drops the group and one `defer` holds it. `resolveGroup` of a part is not used.
 *
 * @example
 * byCollection({ people: threeWay(), drafts: keepLocal(), prices: takeRemote() })
 */
export function byCollection(
  resolvers: Readonly<Record<string, ConflictResolver>>,
): ConflictResolver {
  const known = new Map(Object.entries(resolvers))
  return {
    resolve(local, remote, context) {
      const resolver = known.get(local.collection)
      return resolver === undefined ? { type: 'defer' } : resolver.resolve(local, remote, context)
    },
  }
}
