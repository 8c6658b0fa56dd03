/** Reading scans: a store may answer with fewer entries than asked for long before the end. */
import type { Batch, TreeCursor } from '../store/key-value-store.ts'
import { type Steps, wait } from './steps.ts'

const BATCH = 500

/**
 * Exactly the next `entriesMax` entries, fewer only at the end, or where they have come to `bytesMax` bytes of values: a
 * batch of the store more at most.
 */
export function* takeEntries(
  cursor: TreeCursor,
  entriesMax: number,
  bytesMax: number = Number.POSITIVE_INFINITY,
): Steps<Batch> {
  const first = yield* wait(cursor.next(entriesMax))
  if (first.keys.length === entriesMax || first.keys.length === 0) return first
  const keys = [...first.keys]
  const values = [...first.values]
  let bytes = 0
  for (const { length } of values) bytes += length
  while (keys.length < entriesMax && bytes < bytesMax) {
    const batch = yield* wait(cursor.next(entriesMax - keys.length))
    if (batch.keys.length === 0) break
    for (const key of batch.keys) keys.push(key)
    for (const value of batch.values) {
      values.push(value)
      bytes += value.length
    }
  }
  return { keys, values }
}

/** Every key, of a table that is known to be small. */
export function* keysOf(cursor: TreeCursor): Steps<readonly Uint8Array[]> {
  const all: Uint8Array[] = []
  for (;;) {
    const { keys } = yield* wait(cursor.next(BATCH))
    if (keys.length === 0) return all
    for (const key of keys) all.push(key)
  }
}
