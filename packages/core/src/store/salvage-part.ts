/** What is got out of a damaged store, part by part. */
import type { Change } from './wal-payload.ts'

/** What salvage finds, piece by piece. */
export type SalvagedPart =
  /** Entries of the tree, in key order within a table. */
  | {
      readonly kind: 'entries'
      readonly table: string
      readonly keys: readonly Uint8Array[]
      readonly values: readonly Uint8Array[]
    }
  /** The changes of one commit of the log, to be made after everything before. */
  | { readonly kind: 'commit'; readonly lsn: number; readonly changes: readonly Change[] }
  | { readonly kind: 'loss'; readonly loss: StoreLoss }

/** Something that could not be read. */
export interface StoreLoss {
  /** A node, and all that is below it; one value; commits of the log; the way to the tables. */
  readonly what: 'entries' | 'value' | 'commits' | 'tables'
  readonly file: string
  /** In the file, in bytes. */
  readonly offset: number
  readonly message: string
  readonly table?: string
  /** Of a value. */
  readonly key?: Uint8Array
  /** Of entries: their keys are at or above this one (absent: from the lowest on) ... */
  readonly low?: Uint8Array
  /** ... and below this one (absent: up to the highest). */
  readonly high?: Uint8Array
}

/** Which tables to salvage, and how to follow it. */
export interface SalvageStoreOptions {
  /** Asked when a table is reached; tables come in the order of their names. Default: all. */
  readonly wants?: (table: string) => boolean
  /** Bytes of the files that were looked at; an estimate. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}
