/** What an application's resolver or `decide` returned, which may be anything. */
import type { Resolution } from '@entidb/sync'

const TYPES: readonly unknown[] = ['takeRemote', 'keepLocal', 'merge', 'defer']

/** @throws TypeError */
export function assertResolution(resolution: Resolution, entityId: string): void {
  const type: unknown = resolution?.type
  if (!TYPES.includes(type)) throw new TypeError(`Not a resolution: ${String(type)}`)
  if (resolution.type === 'merge' && resolution.entity?.id !== entityId) {
    throw new TypeError(`merge needs an entity with the id ${entityId}`)
  }
}
