/** A database's storage on a simulated disk, for one life of its process. */
import { crc32 } from 'node:zlib'
import { type Storage, treeStorage } from '@entidb/core'
import type { Random, SimulatedDisk, SimulatedMount } from '@entidb/core/conformance'
import type { Process } from '../kernel/process.ts'
import { between } from '../kernel/random-streams.ts'

export interface StorageParts {
  readonly disk: SimulatedDisk
  readonly process: Process
  readonly random: Random
  /** Shortest and longest flush. */
  readonly flushMs: readonly [number, number]
  /** Told when a flush begins. */
  readonly onFlush: () => void
  readonly onCrash: () => void
}

/** Small, so that short runs meet checkpoints and new logs. */
const TUNABLES = { walCheckpointBytes: 24 * 1024, walAllocationBytes: 4 * 1024, nodeBytes: 1024 }

export function storageOf({ disk, process, random, flushMs, onFlush, onCrash }: StorageParts): {
  readonly mount: SimulatedMount
  readonly storage: Storage
} {
  const mount = disk.mount({
    isDeathSilent: true,
    onCrash,
    flushDelay: () => {
      onFlush()
      return process.pause(between(random, flushMs[0], flushMs[1]))
    },
  })
  const storage = treeStorage(mount, {
    ...TUNABLES,
    ...(typeof crc32 === 'function' ? { checksum: crc32 } : {}),
    scheduler: process.scheduler,
    randomBytes: (length) => random.bytes(length),
  })
  return { mount, storage }
}
