/**
 * What the server knows of devices. The replica that shook hands last owns the deviceId; one that lost
 * it stays out for ever. A replica the server has never met is served: after a restore the server may
 * have forgotten its handshake. Where deviceIds belong to subjects, that holds among the replicas of one subject.
 */
import { deviceConflict, deviceOfAnother } from '../wire-error.ts'
import {
  type DeviceRow,
  type MetaRow,
  replicaKey,
  type ServerReader,
  type ServerTransaction,
} from './collections.ts'
import { isSameBytes } from './meta.ts'

export async function readDevice(
  reader: ServerReader,
  deviceId: string,
): Promise<DeviceRow | undefined> {
  return reader.collection('device_state').get(deviceId)
}

export function newDevice(deviceId: string, meta: MetaRow): DeviceRow {
  return {
    id: deviceId,
    dbId: meta.dbId,
    deviceId,
    lastSeenCursor: 0,
    lastSeenEpoch: meta.epoch,
    lastSeenAt: 0,
    replicaId: null,
    floor: 0,
    lastOpId: 0,
  }
}

/** Error: `device_conflict` for a superseded replica. */
export async function assertNotSuperseded(
  reader: ServerReader,
  deviceId: string,
  device: DeviceRow | undefined,
  replicaId: Uint8Array | undefined,
): Promise<void> {
  if (replicaId === undefined || device === undefined || device.replicaId === null) return
  if (isSameBytes(device.replicaId, replicaId)) return
  const key = replicaKey(deviceId, replicaId)
  if ((await reader.collection('superseded_replicas').get(key)) !== undefined) {
    throw deviceConflict()
  }
}

/**
 * Error: `device_conflict` for the device of another subject. `subject` is undefined where deviceIds belong to nobody,
 * here and below.
 */
export function assertOwnedBy(device: DeviceRow | undefined, subject: string | undefined): void {
  if (subject === undefined || device?.subject === undefined) return
  if (device.subject !== subject) throw deviceOfAnother()
}

/** The row with its subject: the first one to come keeps it. */
export function ownedBy(device: DeviceRow, subject: string | undefined): DeviceRow {
  return subject === undefined || device.subject !== undefined ? device : { ...device, subject }
}

/** Whether a handshake with `replicaId` changes the owner of the deviceId. */
export function takesOver(device: DeviceRow, replicaId: Uint8Array | undefined): boolean {
  if (replicaId === undefined) return false
  return device.replicaId === null || !isSameBytes(device.replicaId, replicaId)
}

/** Makes the replica the owner; the one before it is superseded. The caller stores the row. */
export async function takeOver(
  tx: ServerTransaction,
  device: DeviceRow,
  replicaId: Uint8Array,
  nowMs: number,
): Promise<DeviceRow> {
  if (device.replicaId !== null) {
    await tx.collection('superseded_replicas').put({
      id: replicaKey(device.deviceId, device.replicaId),
      deviceId: device.deviceId,
      supersededAt: nowMs,
    })
  }
  return { ...device, replicaId }
}

/** The row after the device was seen at `nowMs`, and showed `cursor` if it named one. */
export function withSeen(
  device: DeviceRow,
  meta: MetaRow,
  cursor: number | undefined,
  nowMs: number,
): DeviceRow {
  const seen = { ...device, lastSeenAt: nowMs }
  if (cursor === undefined) return seen
  const isSameEpoch = isSameBytes(device.lastSeenEpoch, meta.epoch)
  const lastSeenCursor = isSameEpoch ? Math.max(device.lastSeenCursor, cursor) : cursor
  return { ...seen, lastSeenCursor, lastSeenEpoch: meta.epoch }
}
