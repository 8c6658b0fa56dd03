/**
 * The calls of `node:fs` that a store's files go through, and the clock, as a parameter: tests replace
 * single ones to make a disk that is full, slow, tears writes or fails to flush.
 */

import * as fs from 'node:fs'

type Done = (error: Error | null) => void

export interface NodeSystemCalls {
  openSync(path: string, flags: string | number, mode?: number): number
  closeSync(fd: number): void
  fstatSync(fd: number): { readonly size: number }
  readSync(fd: number, target: Uint8Array, start: number, length: number, position: number): number
  writeSync(fd: number, bytes: Uint8Array, start: number, length: number, position: number): number
  ftruncateSync(fd: number, size: number): void
  fdatasync(fd: number, done: Done): void
  fdatasyncSync(fd: number): void
  fsync(fd: number, done: Done): void
  readdirSync(path: string, options: { withFileTypes: true }): readonly fs.Dirent[]
  renameSync(from: string, to: string): void
  unlinkSync(path: string): void
  mkdirSync(path: string): void
  existsSync(path: string): boolean
  /** Milliseconds from some moment on; never goes back. */
  now(): number
}

export const nodeSystemCalls: NodeSystemCalls = { ...fs, now: () => performance.now() }
