/**
 * The application's resolver, with the oracle listening. What it throws makes the client hold the conflict; here it is a
 * failure of the run as well, for a resolver that settles nothing would pass for one that works.
 */
import type { ConflictResolver, LocalSide, RemoteSide, Resolution } from '@entidb/sync'
import type { EventLog } from '../kernel/event-log.ts'
import type { Oracle } from '../oracle/oracle.ts'
import { assertResolution } from './assert-resolution.ts'

export interface ResolverWatch {
  /** Whose resolver it is. */
  readonly device: string
  readonly oracle: Oracle
  readonly log: EventLog
  readonly onFailure: (error: unknown) => void
}

export function observeResolver(
  resolver: ConflictResolver | undefined,
  { device, oracle, log, onFailure }: ResolverWatch,
): ConflictResolver | undefined {
  if (resolver === undefined) return undefined
  const { resolveGroup } = resolver
  const decided = (
    local: LocalSide,
    remote: RemoteSide | undefined,
    group: readonly LocalSide[],
    resolution: Resolution,
  ): void => {
    assertResolution(resolution, local.entityId)
    log.write(device, `resolves ${local.collection}/${local.entityId}: ${resolution.type}`)
    oracle.decided(device, local, remote, group, resolution)
  }
  const watched = async <R>(ask: () => Promise<R>): Promise<R> => {
    try {
      return await ask()
    } catch (error) {
      onFailure(error)
      throw error
    }
  }
  return {
    resolve: (local, remote, context) =>
      watched(async () => {
        const resolution = await resolver.resolve(local, remote, context)
        decided(local, remote, context.group, resolution)
        return resolution
      }),
    ...(resolveGroup === undefined
      ? {}
      : {
          resolveGroup: (members, context) =>
            watched(async () => {
              const answer = await resolveGroup.call(resolver, members, context)
              for (const [index, { local, remote }] of members.entries()) {
                // Array.isArray does not narrow a readonly array away.
                const resolution = Array.isArray(answer) ? answer[index] : (answer as Resolution)
                decided(local, remote, [], resolution)
              }
              return answer
            }),
        }),
  }
}
