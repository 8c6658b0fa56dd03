/** `entidb devices`: the devices that a sync server knows. */
import type { DeviceRow } from '@entidb/server'
import type { CliCommand } from '../cli/cli-command.ts'
import {
  isoTime,
  type Listing,
  listingOptions,
  runListing,
  timeText,
} from '../server-data/listing.ts'
import { readServerMeta, type ServerData } from '../server-data/server-database.ts'

interface DeviceFacts {
  readonly deviceId: string
  readonly lastSeenAt: string
  readonly lastSeenCursor: number
  /** Whether it has pulled in the epoch of now. */
  readonly isInEpoch: boolean
  /** Whether it has pulled everything, as far as the server knows. */
  readonly isAtHead: boolean
  readonly lastOpId: number
  readonly floor: number
  readonly conflicts: number
  /** Hex; null until it has shaken hands with one. */
  readonly replicaId: string | null
  /** Whom it belongs to, where deviceIds belong to somebody. */
  readonly subject: string | null
}

export const devicesCommand: CliCommand = {
  summary: 'List the devices that a sync server knows, and how far they are',
  options: {
    ...listingOptions,
    device: { type: 'string', valueHint: 'id', description: 'Only this device' },
    'silent-days': {
      type: 'string',
      valueHint: 'n',
      description: 'Only those that were not seen for so many days',
    },
  },
  run(args, environment) {
    const device = args.optionalText('device')
    const silentDays = args.optionalCount('silent-days', 0, 100_000)
    const listing: Listing<DeviceRow, DeviceFacts> = {
      name: 'devices',
      find: (data, page) =>
        data.collection('device_state').findPage({
          where: {
            ...(device === undefined ? {} : { id: device }),
            ...(silentDays === undefined ? {} : { lastSeenAt: { lte: daysAgo(silentDays) } }),
          },
          orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
          ...page,
        }),
      facts: factsOf,
      head: ['device', 'seen', 'cursor', 'at head', 'last opId', 'floor', 'conflicts', 'replica'],
      cells: (facts) => [
        facts.deviceId,
        timeText(Date.parse(facts.lastSeenAt)),
        facts.lastSeenCursor,
        facts.isAtHead ? 'yes' : 'no',
        facts.lastOpId,
        facts.floor,
        facts.conflicts,
        facts.replicaId?.slice(0, 8) ?? '-',
      ],
    }
    return runListing(listing, args, environment)
  },
}

const DAY_MS = 86_400_000

function daysAgo(days: number): number {
  return Date.now() - days * DAY_MS
}

async function factsOf(row: Readonly<DeviceRow>, data: ServerData): Promise<DeviceFacts> {
  const { epoch, head } = await readServerMeta(data)
  return {
    deviceId: row.deviceId,
    lastSeenAt: isoTime(row.lastSeenAt),
    lastSeenCursor: row.lastSeenCursor,
    isInEpoch: Buffer.compare(epoch, row.lastSeenEpoch) === 0,
    isAtHead: row.lastSeenCursor === head,
    lastOpId: row.lastOpId,
    floor: row.floor,
    conflicts: await data
      .collection('conflicts')
      .count({ where: { id: { startsWith: `${row.deviceId}/` } } }),
    replicaId: row.replicaId === null ? null : Buffer.from(row.replicaId).toString('hex'),
    subject: row.subject ?? null,
  }
}
