/** Checks of a whole store, for the end of tests. */
import { expect } from 'vitest'
import type { FileSystem } from '../files/file-system.ts'
import { compareBytes } from './bytes.ts'
import { decodeCatalog } from './catalog.ts'
import { crc32 } from './checksum.ts'
import { type Extent, unitsOf } from './extent.ts'
import { extentKinds } from './extent-codec.ts'
import { DATA_FILE } from './format.ts'
import { decodeFreeList } from './free-list.ts'
import type { Reader } from './key-value-store.ts'
import type { NodeRef } from './node.ts'
import { NodeCache } from './node-cache.ts'
import { PageFile } from './page-file.ts'
import { FIRST_UNIT, readSuperblock } from './superblock.ts'

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
        if (last !== undefined) expect(compareBytes(last, key)).toBeLessThan(0)
        last = key
        entries.set(hex(key), hex(values[i] ?? new Uint8Array(0)))
      }
    }
    expect(await reader.count(table)).toBe(entries.size)
    state.set(table, entries)
  }
  return state
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Every unit behind the superblocks is reachable exactly once or free exactly once. */
export async function assertSpaceAccounted(fileSystem: FileSystem): Promise<void> {
  const file = await fileSystem.open(DATA_FILE, { create: false })
  if (file === undefined) throw new Error('no data file')
  const superblock = await readSuperblock(file, crc32)
  const pages = new PageFile(file, superblock.storeId, crc32, new NodeCache(0))
  const uses = new Uint8Array(superblock.endUnit)
  const use = (start: number, units: number): void => {
    for (let unit = start; unit < start + units; unit++) uses[unit] = (uses[unit] ?? 0) + 1
  }
  const useExtent = (extent: Extent | undefined): void => {
    if (extent !== undefined) use(extent.start, unitsOf(extent.bytes))
  }
  use(0, FIRST_UNIT)
  useExtent(superblock.catalog)
  useExtent(superblock.freeList)
  const waiting: NodeRef[] = []
  if (superblock.catalog !== undefined) {
    const { payload, count } = await pages.read(superblock.catalog, [extentKinds.catalog])
    for (const [, { root }] of decodeCatalog(payload, count)) if (root) waiting.push(root)
  }
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    useExtent(ref.extent)
    const node = await pages.load(ref)
    if (node.kind === 'branch') waiting.push(...node.children)
    else for (const value of node.large ?? []) useExtent(value?.extent)
  }
  if (superblock.freeList !== undefined) {
    const { payload, count } = await pages.read(superblock.freeList, [extentKinds.freeList])
    for (const [start, size] of decodeFreeList(payload, count)) use(start, size)
  }
  const wrong = uses.findIndex((count) => count !== 1)
  if (wrong >= 0) {
    throw new Error(`unit ${wrong} of ${superblock.endUnit} is used ${uses[wrong]} times`)
  }
  await file.close()
}
