import type { SyncOperation } from '@entidb/protocol'

export interface ContentDigest {
  /** SHA-256 in hex. */
  readonly digest: string
  readonly entities: number
}

export function digestOfOperations(
  operations: readonly SyncOperation[],
  collections?: readonly string[],
): ContentDigest
