/** What can be set on a TreeStore, and what holds when it is not. */
import { type Checksum, crc32 } from './checksum.ts'
import type { Durability } from './key-value-store.ts'
import { type Scheduler, systemScheduler } from './scheduler.ts'

export interface TreeStoreOptions {
  /**
   * `strict`: a commit resolves when it is flushed. `relaxed`: when it is written; it is flushed at
   * most `flushDelayMs` later, and until then a crash of the system may lose it (and all after it),
   * but never a part of it.
   */
  readonly durability: Durability
  /** `relaxed`: the longest time between a commit and its flush. Default 100. */
  readonly flushDelayMs?: number
  /** Encoded size above which a node is split. Default 4096. */
  readonly nodeBytes?: number
  /** Size above which a value gets an extent of its own. Default: half of `nodeBytes`. */
  readonly largeValueBytes?: number
  /**
   * Bytes of tree nodes kept in memory, about. Those that a checkpoint has still to write count first, and
   * leave the others a quarter at least; when they take all of it, a checkpoint begins, and writers wait for
   * one that is under way. What one transaction changes may be more, and each scan of what is not in memory
   * has up to 64 KiB of the file. Default 48 MiB.
   */
  readonly cacheBytes?: number
  /** Bytes of log after which a checkpoint begins. Default: half of the data, from 8 to 32 MiB. */
  readonly walCheckpointBytes?: number
  /** Space allocated ahead in the log, at most, in one go. Default 1 MiB. */
  readonly walAllocationBytes?: number
  /** CRC-32, for hosts that have a faster one (Node's `zlib.crc32`). */
  readonly checksum?: Checksum
  readonly scheduler?: Scheduler
  /** Random bytes for ids and salts. Default: the host's cryptographic source. */
  readonly randomBytes?: (length: number) => Uint8Array
}

export interface TreeStoreSettings extends Required<Omit<TreeStoreOptions, 'walCheckpointBytes'>> {
  readonly walCheckpointBytes: number | undefined
}

export function settingsOf(options: TreeStoreOptions): TreeStoreSettings {
  const nodeBytes = options.nodeBytes ?? 4096
  return {
    durability: options.durability,
    flushDelayMs: options.flushDelayMs ?? 100,
    nodeBytes,
    largeValueBytes: options.largeValueBytes ?? nodeBytes / 2,
    cacheBytes: options.cacheBytes ?? 48 * 1024 * 1024,
    walCheckpointBytes: options.walCheckpointBytes,
    walAllocationBytes: options.walAllocationBytes ?? 1024 * 1024,
    checksum: options.checksum ?? crc32,
    scheduler: options.scheduler ?? systemScheduler,
    randomBytes: options.randomBytes ?? hostRandomBytes,
  }
}

/** What every JavaScript host offers, without asking for the types of one of them. */
interface CryptoHost {
  readonly crypto: { getRandomValues(target: Uint8Array): Uint8Array }
}

function hostRandomBytes(length: number): Uint8Array {
  // The global exists in Node, workers and pages; its declared types differ between those.
  const host = globalThis as unknown as CryptoHost
  return host.crypto.getRandomValues(new Uint8Array(length))
}
