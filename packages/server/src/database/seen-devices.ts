/**
 * Which devices were seen since it was last stored, and how far they were: reading costs no commit. What a crash
 * takes of it is found again when the device comes back; until then it only keeps more than it has to be.
 */
import type { ServerTransaction } from './collections.ts'
import { newDevice, readDevice, withSeen } from './devices.ts'
import { readMeta } from './meta.ts'

interface Sighting {
  /** The largest cursor the device has shown; undefined when it showed none. */
  readonly cursor: number | undefined
  readonly atMs: number
}

export class SeenDevices {
  readonly #sightings = new Map<string, Sighting>()

  get count(): number {
    return this.#sightings.size
  }

  note(deviceId: string, cursor: number | undefined, atMs: number): void {
    const known = this.#sightings.get(deviceId)?.cursor
    const largest = cursor === undefined ? known : Math.max(known ?? 0, cursor)
    this.#sightings.set(deviceId, { cursor: largest, atMs })
  }

  /** What was noted, which is forgotten here. */
  take(): ReadonlyMap<string, Sighting> {
    const taken = new Map(this.#sightings)
    this.#sightings.clear()
    return taken
  }
}

/** Device rows as of what was noted; a device that has none gets one. */
export async function storeSightings(
  tx: ServerTransaction,
  sightings: ReadonlyMap<string, Sighting>,
): Promise<void> {
  const meta = await readMeta(tx)
  const rows = []
  for (const [deviceId, { cursor, atMs }] of sightings) {
    const device = (await readDevice(tx, deviceId)) ?? newDevice(deviceId, meta)
    // It may have pushed since.
    rows.push(withSeen(device, meta, cursor, Math.max(device.lastSeenAt, atMs)))
  }
  await tx.collection('device_state').putMany(rows)
}
