import type { Entity } from '../harness/data-set.mjs'

export interface ReadDevice {
  scan(visit: (entity: Entity) => void): Promise<void>
}
export function assertHolds(device: ReadDevice, count: number): Promise<void>
export function stateOf(
  device: ReadDevice,
  count: number,
  mergesFields: boolean,
): Promise<{ readonly hash: string; readonly isSettled: boolean }>
