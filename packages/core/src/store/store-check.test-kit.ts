/** Checks of a whole store, for the end of tests. They throw plain errors, so that they run anywhere. */
import { strict as assert } from 'node:assert'
import type { FileSystem } from '../files/file-system.ts'
import { compareBytes } from './bytes.ts'
import { DATA_FILE } from './format.ts'
import { readDataFile } from './format-reader/data-file.test-kit.ts'
import type { Reader } from './key-value-store.ts'

export type State = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Everything a reader sees, keys and values in hexadecimal. Also checks order and counts. */
export async function readState(reader: Reader): Promise<Map<string, Map<string, string>>> {
  const state = new Map<string, Map<string, string>>()
  for (const table of [...(await reader.tables())].sort()) {
    const entries = new Map<string, string>()
    const cursor = reader.scan(table, {})
    let last: Uint8Array | undefined
    for (;;) {
      const { keys, values } = await cursor.next(64)
      if (keys.length === 0) break
      for (const [i, key] of keys.entries()) {
        assert(last === undefined || compareBytes(last, key) < 0, `${table}: keys in disorder`)
        last = key
        entries.set(hex(key), hex(values[i] ?? new Uint8Array(0)))
      }
    }
    assert.equal(await reader.count(table), entries.size, `${table}: the count is wrong`)
    state.set(table, entries)
  }
  return state
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Same tables with the same entries, in whatever order they were put in. */
export function assertSameState(found: State, expected: State | undefined, label: string): void {
  assert(expected !== undefined, `${label}: no such state`)
  const names = (state: State): string => [...state.keys()].sort().join()
  assert.equal(names(found), names(expected), `${label}: tables`)
  for (const [table, entries] of expected) {
    const others = found.get(table)
    assert.equal(others?.size, entries.size, `${label}: entries of ${table}`)
    for (const [key, value] of entries) {
      assert.equal(others?.get(key), value, `${label}: key ${key} of ${table}`)
    }
  }
}

/** The same files with the same bytes. */
export function assertSameFiles(
  found: ReadonlyMap<string, Uint8Array>,
  expected: ReadonlyMap<string, Uint8Array>,
  label: string,
): void {
  assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort(), label)
  for (const [name, bytes] of expected) {
    const isSame = Buffer.compare(found.get(name) ?? new Uint8Array(0), bytes) === 0
    assert(isSame, `${label}: ${name} changed`)
  }
}

/**
 * The tree of the last checkpoint is whole, and every unit behind the superblocks is in exactly one
 * place of it or free exactly once.
 */
export async function assertSpaceAccounted(fileSystem: FileSystem): Promise<void> {
  const file = await fileSystem.open(DATA_FILE, { create: false })
  if (file === undefined) throw new Error('no data file')
  const bytes = new Uint8Array(file.size())
  await file.readAt(0, bytes)
  await file.close()
  readDataFile(bytes)
}
