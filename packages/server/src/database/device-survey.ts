/**
 * How far devices are, which bounds what may be cleared. Cursors of an older epoch count too: histories only part
 * beyond what the server knew of the device then.
 */
import type { DeviceRow, ServerReader } from './collections.ts'

export interface SurveyTimes {
  readonly nowMs: number
  /** A device seen within it is active. */
  readonly retentionMs: number
  /** A device seen within it is live: compaction waits for it. */
  readonly liveMs: number
}

export interface DeviceSurvey {
  /** Every live device that has pulled anything is at least here; Infinity without one. */
  liveThrough: number
  /** Every active device has seen everything up to here; Infinity without one. */
  activeThrough: number
  /** Devices with records of accepted operations that may be removed. */
  readonly forgetful: string[]
  /** Devices that are neither active nor live, and never pushed. */
  readonly idle: string[]
  /** Devices that were last seen later than now: the clock was wrong. */
  readonly ahead: string[]
}

/** Rows read at once. */
const PAGE_ROWS = 500

/** `pause` is awaited between pages. */
export async function surveyDevices(
  read: <T>(work: (reader: ServerReader) => Promise<T>) => Promise<T>,
  times: SurveyTimes,
  pause: () => Promise<void>,
): Promise<DeviceSurvey> {
  const survey: DeviceSurvey = {
    liveThrough: Number.POSITIVE_INFINITY,
    activeThrough: Number.POSITIVE_INFINITY,
    forgetful: [],
    idle: [],
    ahead: [],
  }
  for (let after = ''; ; ) {
    const rows = await read((reader) =>
      reader.collection('device_state').find({ where: { id: { gt: after } }, limit: PAGE_ROWS }),
    )
    for (const row of rows) addDevice(survey, row, times)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return survey
    after = last.id
    await pause()
  }
}

function addDevice(survey: DeviceSurvey, device: DeviceRow, times: SurveyTimes): void {
  const silentMs = times.nowMs - device.lastSeenAt
  const cursor = device.lastSeenCursor
  const isActive = silentMs < times.retentionMs
  const isLive = silentMs < times.liveMs
  if (isActive) survey.activeThrough = Math.min(survey.activeThrough, cursor)
  // A live one is waited for, also where deletes are remembered for less than that.
  else if (!isLive && device.lastOpId === 0) survey.idle.push(device.id)
  // A first sync offers no consistent state before its end, so it is not waited for.
  if (isLive && cursor > 0) survey.liveThrough = Math.min(survey.liveThrough, cursor)
  if (silentMs < 0) survey.ahead.push(device.id)
  if (device.floor > (device.forgottenBelow ?? 0)) survey.forgetful.push(device.id)
}
