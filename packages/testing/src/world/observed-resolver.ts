/** The application's resolver, with the oracle listening. */
import type { ConflictResolver, LocalSide, RemoteSide, Resolution } from '@entidb/sync'
import type { EventLog } from '../kernel/event-log.ts'
import type { Oracle } from '../oracle/oracle.ts'

export function observeResolver(
  resolver: ConflictResolver | undefined,
  device: string,
  oracle: Oracle,
  log: EventLog,
): ConflictResolver | undefined {
  if (resolver === undefined) return undefined
  const { resolveGroup } = resolver
  const decided = (
    local: LocalSide,
    remote: RemoteSide | undefined,
    group: readonly LocalSide[],
    resolution: Resolution,
  ): void => {
    log.write(device, `resolves ${local.collection}/${local.entityId}: ${resolution.type}`)
    oracle.decided(device, local, remote, group, resolution)
  }
  return {
    async resolve(local, remote, context) {
      const resolution = await resolver.resolve(local, remote, context)
      decided(local, remote, context.group, resolution)
      return resolution
    },
    ...(resolveGroup === undefined
      ? {}
      : {
          async resolveGroup(members, context) {
            const answer = await resolveGroup.call(resolver, members, context)
            for (const [index, { local, remote }] of members.entries()) {
              // Array.isArray does not narrow a readonly array away.
              const resolution = Array.isArray(answer) ? answer[index] : (answer as Resolution)
              if (resolution !== undefined) decided(local, remote, [], resolution)
            }
            return answer
          },
        }),
  }
}
