/**
 * Removal of what the server only remembers for a while. Each function is one step, which others wait for a few
 * milliseconds: it takes devices off `queue` as far as it comes, and answers whether there is more to do.
 */
import { operationKeys, type ServerTransaction } from './collections.ts'
import { readDevice } from './devices.ts'

const ROWS_MAX = 300
const DEVICES_MAX = 100
/** Rows with what was pushed, which may be a megabyte each. */
const CONFLICTS_MAX = 20

/**
 * Removes records of accepted operations below their device's floor: without a record an operation down there is never
 * accepted. Those from the floor on are of the device's last request, which it may send again at any time.
 */
export async function forgetAcceptedOps(tx: ServerTransaction, queue: string[]): Promise<boolean> {
  let rowsLeft = ROWS_MAX
  for (let devices = 0; devices < DEVICES_MAX && rowsLeft > 0; devices++) {
    const [deviceId] = queue
    if (deviceId === undefined) return false
    rowsLeft -= await forgetAcceptedOf(tx, deviceId, rowsLeft)
    if (rowsLeft > 0) queue.shift()
  }
  return true
}

/** How many it removed: fewer than `limit` when none is left. */
async function forgetAcceptedOf(
  tx: ServerTransaction,
  deviceId: string,
  limit: number,
): Promise<number> {
  const device = await readDevice(tx, deviceId)
  if (device === undefined || device.floor === 0) return 0
  const accepted = tx.collection('accepted_ops')
  const rows = await accepted.find({
    where: { id: operationKeys(deviceId, 0, device.floor - 1) },
    select: ['id'],
    limit,
  })
  for (const { id } of rows) await accepted.delete(id)
  if (rows.length < limit) {
    await tx.collection('device_state').put({ ...device, forgottenBelow: device.floor })
  }
  return rows.length
}

/**
 * Removes devices that were not seen since `beforeMs` and never pushed: they have no floor to keep. One whose
 * deviceId changed hands stays, so that who lost it stays out.
 */
export async function forgetDevices(
  tx: ServerTransaction,
  queue: string[],
  beforeMs: number,
): Promise<boolean> {
  for (const deviceId of queue.splice(0, DEVICES_MAX)) {
    const device = await readDevice(tx, deviceId)
    const isGone = device !== undefined && device.lastOpId === 0 && device.lastSeenAt <= beforeMs
    if (isGone && !(await hasChangedHands(tx, deviceId))) {
      await tx.collection('device_state').delete(deviceId)
    }
  }
  return queue.length > 0
}

async function hasChangedHands(tx: ServerTransaction, deviceId: string): Promise<boolean> {
  const where = { id: { startsWith: `${deviceId}/` } }
  return (await tx.collection('superseded_replicas').first({ where })) !== undefined
}

/** Devices that were last seen later than now, by a clock that was ahead: they were seen now. */
export async function setBackSeen(
  tx: ServerTransaction,
  queue: string[],
  nowMs: number,
): Promise<boolean> {
  for (const deviceId of queue.splice(0, DEVICES_MAX)) {
    const device = await readDevice(tx, deviceId)
    if (device !== undefined && device.lastSeenAt > nowMs) {
      await tx.collection('device_state').put({ ...device, lastSeenAt: nowMs })
    }
  }
  return queue.length > 0
}

/** Removes conflicts that were found before `beforeMs`. Those found later than now, by a clock that was ahead, were found now. */
export async function forgetConflicts(
  tx: ServerTransaction,
  beforeMs: number,
  nowMs: number,
): Promise<boolean> {
  const conflicts = tx.collection('conflicts')
  const ahead = await conflicts.find({ where: { detectedAt: { gt: nowMs } }, limit: CONFLICTS_MAX })
  await conflicts.putMany(ahead.map((row) => ({ ...row, detectedAt: nowMs })))
  const rows = await conflicts.find({
    where: { detectedAt: { lte: beforeMs } },
    select: ['id'],
    limit: ROWS_MAX,
  })
  for (const { id } of rows) await conflicts.delete(id)
  return rows.length === ROWS_MAX || ahead.length === CONFLICTS_MAX
}
