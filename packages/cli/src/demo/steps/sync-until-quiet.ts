/** Step: all devices follow the server, conflicts are settled as they show, until nothing moves any more. */
import { orStop } from '../../process/abortable.ts'
import type { Device } from '../device.ts'
import { type SettledConflict, settleConflicts } from './settle-conflicts.ts'

/** More rounds than any run needs: every conflict is settled in the round in which it shows. */
const roundsMax = 20

export interface DeviceConflict extends SettledConflict {
  /** Which device found and merged it: the local side. */
  readonly device: string
}

/** Resolves to what was merged. The devices go on following the server. Throws when they do not come to rest. */
export async function syncUntilQuiet(
  devices: readonly Device[],
  stop: AbortSignal,
): Promise<readonly DeviceConflict[]> {
  const settled: DeviceConflict[] = []
  for (let round = 0; round < roundsMax; round++) {
    let moved = 0
    for (const { name, sync } of devices) {
      await sync.start()
      const { pulled, pushed } = await orStop(sync.sync(), stop)
      const conflicts = await settleConflicts(sync.conflicts)
      settled.push(...conflicts.map((conflict) => ({ ...conflict, device: name })))
      moved += pulled + pushed + conflicts.length
    }
    if (moved === 0 && areQuiet(devices)) return settled
  }
  throw new Error(`the devices still exchange edits after ${roundsMax} rounds`)
}

/** Nothing waits, and no device has seen what another one has not. */
function areQuiet(devices: readonly Device[]): boolean {
  const statuses = devices.map(({ sync }) => sync.status)
  return (
    statuses.every(({ pending, held }) => pending === 0 && held === 0) &&
    new Set(statuses.map(({ cursor }) => cursor)).size === 1
  )
}
