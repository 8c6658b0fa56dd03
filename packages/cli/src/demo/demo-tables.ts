/** What a run found out, as tables. */
import { isDeepStrictEqual } from 'node:util'
import type { ReportTable } from '../output/reporter.ts'
import { formatBytes, formatCount, formatDuration } from '../output/units.ts'
import type { CityEdit } from './city-edits.ts'
import type { StepFigure } from './step-runner.ts'
import type { OfflineEdits } from './steps/edit-offline.ts'
import type { Proof } from './steps/prove-identical.ts'
import type { DeviceConflict } from './steps/sync-until-quiet.ts'

export function editsTable({ onDeviceA, onDeviceB }: OfflineEdits): ReportTable {
  const rowsOf = (device: string, edits: readonly CityEdit[]): readonly string[][] =>
    edits.map(({ id, what }) => [device, id, what])
  return {
    head: ['offline on', 'city', 'edit'],
    rows: [...rowsOf('device A', onDeviceA), ...rowsOf('device B', onDeviceB)],
  }
}

/** Only fields that anyone changed; device A always to the left. */
export function conflictTable({ device, fields }: DeviceConflict): ReportTable {
  const localIsA = device === 'device A'
  const changed = fields.filter(({ base, local, remote, merged }) =>
    [local, remote, merged].some((side) => !isDeepStrictEqual(side, base)),
  )
  return {
    head: ['field', 'base', 'device A', 'device B', 'merged'],
    rows: changed.map(({ path, base, local, remote, merged }) => {
      const [deviceA, deviceB] = localIsA ? [local, remote] : [remote, local]
      return [path, ...[base, deviceA, deviceB, merged].map(valueText)]
    }),
  }
}

export function digestTable({ digests }: Proof): ReportTable {
  return {
    head: ['of', 'entities', 'SHA-256 over collection, id, revision and bytes'],
    rows: digests.map(({ of, entities, sha256 }) => [of, entities, sha256]),
  }
}

export function figuresTable(figures: readonly StepFigure[]): ReportTable {
  return {
    head: ['step', 'time', 'entities', 'entities/s', 'sent', 'received'],
    rows: figures.map(({ title, ms, entities, traffic: { sent, received } }) => [
      title,
      formatDuration(ms),
      entities ?? '',
      entities === undefined || entities === 0 ? '' : (entities * 1_000) / ms,
      sent === 0 ? '' : formatBytes(sent),
      received === 0 ? '' : formatBytes(received),
    ]),
  }
}

function valueText(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return Number.isInteger(value) ? formatCount(value) : String(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
