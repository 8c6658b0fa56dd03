/**
 * Moves what lies at the end of the data file to free space before it, so that the file can be cut off. A
 * leaf moves by being written anew: one of its entries is put again as it is, in a transaction like any
 * other. So nothing here can lose anything, and readers and writers go on.
 */

import type { NamedTable } from './catalog.ts'
import { unitsOf } from './extent.ts'
import type { KeyValueStore, WorkProgress } from './key-value-store.ts'
import { at, type NodeRef } from './node.ts'
import type { PageFile } from './page-file.ts'
import type { Recovered } from './recovery.ts'
import type { SpaceMap } from './space.ts'

/** What moves needs room that other extents leave only by moving: hence several rounds. */
const ROUNDS_MAX = 10

type CompactedFiles = Pick<Recovered, 'pages' | 'space' | 'readFreeSpace'>

/** `tables` answers those of the last visible commit. */
export async function compactTree(
  store: Pick<KeyValueStore, 'begin' | 'checkpoint'>,
  files: CompactedFiles,
  tables: () => readonly NamedTable[],
  onProgress: (progress: WorkProgress) => void,
): Promise<void> {
  await files.readFreeSpace()
  let done = 0
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let moved = 0
    const goesOn = await compactOnce(store, files, tables, (units, total) => {
      moved += units
      onProgress({ done: done + moved, total: done + Math.max(total, moved) })
    })
    done += moved
    if (!goesOn) break
  }
  onProgress({ done, total: done })
}

/** Whether another round is worth it. `onMoved` is told of the units that move, and of all that will. */
async function compactOnce(
  store: Pick<KeyValueStore, 'begin' | 'checkpoint'>,
  { space, pages }: CompactedFiles,
  tables: () => readonly NamedTable[],
  onMoved: (units: number, total: number) => void,
): Promise<boolean> {
  await store.checkpoint()
  const endBefore = space.endUnit
  const liveUnits = endBefore - space.freeUnits
  space.restart()
  const target = liveUnits + Math.ceil(liveUnits / 16)
  const total = usedUnitsBeyond(target, space)
  onMoved(0, total)
  const entries = findEntriesBeyond(tables(), pages, target, (units) => onMoved(units, total))
  const moved = await moveEntries(store, entries)
  await store.checkpoint()
  // What moved is free only now; the next checkpoint can cut it off.
  await commitNothing(store)
  await store.checkpoint()
  return moved > 0 && space.endUnit < endBefore
}

function usedUnitsBeyond(target: number, space: SpaceMap): number {
  let used = Math.max(0, space.endUnit - target)
  space.forEachRun((start, size) => {
    used -= Math.max(0, start + size - Math.max(start, target))
  })
  return used
}

/** An entry in a leaf, or with a large value, that is to move. */
interface EntryToMove {
  readonly table: string
  readonly key: Uint8Array
}

const TRANSACTION_ENTRIES_MAX = 200
const TRANSACTION_BYTES_MAX = 1024 * 1024

/**
 * In the order of the tree, entries that bring everything beyond `endUnit` to another place. `onFound` is told of
 * the units that lie there.
 */
async function* findEntriesBeyond(
  tables: readonly NamedTable[],
  pages: PageFile,
  endUnit: number,
  onFound: (units: number) => void,
): AsyncGenerator<EntryToMove, void, undefined> {
  for (const [table, { root }] of tables) {
    if (root === undefined) continue
    for await (const key of keysBeyond(root, { pages, endUnit, onFound }, false))
      yield { table, key }
  }
}

interface Search {
  readonly pages: PageFile
  readonly endUnit: number
  readonly onFound: (units: number) => void
}

/** `isMoved`: something above `ref` moves by way of its first leaf. */
async function* keysBeyond(
  ref: NodeRef,
  search: Search,
  isMoved: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { pages } = search
  pages.makeRoom()
  const node = await pages.load(ref)
  const moves = isBeyond(ref, search) || isMoved
  if (node.kind === 'branch') {
    for (let i = 0; i < node.size; i++) {
      yield* keysBeyond(at(node.children, i), search, moves && i === 0)
    }
    return
  }
  let hasMoved = false
  for (const [i, value] of (node.large ?? []).entries()) {
    if (value === undefined || !isBeyond(value, search)) continue
    hasMoved = true
    yield node.entries.keyAt(i)
  }
  if (moves && !hasMoved && node.size > 0) yield node.entries.keyAt(0)
}

function isBeyond({ extent }: Pick<NodeRef, 'extent'>, { endUnit, onFound }: Search): boolean {
  if (extent === undefined) return false
  const units = unitsOf(extent.bytes)
  if (extent.start + units <= endUnit) return false
  onFound(units)
  return true
}

/** Puts the entries again as they are by now; those that are gone have moved by going. Answers how many. */
async function moveEntries(
  store: Pick<KeyValueStore, 'begin'>,
  entries: AsyncIterable<EntryToMove>,
): Promise<number> {
  let moved = 0
  let batch: EntryToMove[] = []
  for await (const entry of entries) {
    moved++
    batch.push(entry)
    if (batch.length < TRANSACTION_ENTRIES_MAX) continue
    await moveBatch(store, batch)
    batch = []
  }
  await moveBatch(store, batch)
  return moved
}

async function moveBatch(
  store: Pick<KeyValueStore, 'begin'>,
  batch: readonly EntryToMove[],
): Promise<void> {
  let position = 0
  while (position < batch.length) {
    const tx = await store.begin()
    try {
      let bytes = 0
      while (position < batch.length && bytes < TRANSACTION_BYTES_MAX) {
        const { table, key } = at(batch, position++)
        const value = await tx.get(table, key)
        if (value === undefined) continue
        await tx.put(table, key, value)
        bytes += value.length
      }
      await tx.commit()
    } catch (error) {
      tx.rollback()
      throw error
    }
  }
}

const SCRATCH_TABLE = 'compact'
const SCRATCH_KEY = new Uint8Array(0)

/** A commit that changes nothing, so that there is something for a checkpoint to do. */
async function commitNothing(store: Pick<KeyValueStore, 'begin'>): Promise<void> {
  const tx = await store.begin()
  try {
    await tx.put(SCRATCH_TABLE, SCRATCH_KEY, SCRATCH_KEY)
    await tx.delete(SCRATCH_TABLE, SCRATCH_KEY)
    await tx.commit()
  } catch (error) {
    tx.rollback()
    throw error
  }
}
