/**
 * Reads what can be read of one table. A node that fails its checks, or whose keys are not where the node above
 * it says, is left out with all that is below it.
 */
import { compareBytes } from './bytes.ts'
import { type Extent, UNIT_BYTES } from './extent.ts'
import { extentKinds } from './extent-codec.ts'
import { LargeValue, type Leaf, type NodeRef, type TreeNode } from './node.ts'
import type { PackedEntries } from './packed-entries.ts'
import type { PageFile } from './page-file.ts'
import { isUnreadable } from './salvage-catalog.ts'
import type { SalvagedPart, StoreLoss } from './salvage-part.ts'
import { childPlaces, rootPlace, type TreePlace } from './tree-place.ts'

/** Deeper than any tree: whoever gets there goes round in circles. */
const DEPTH_MAX = 64
/** Large values are handed over before they fill the memory. */
const PART_BYTES_MAX = 1024 * 1024

export async function* salvageTable(
  pages: PageFile,
  table: string,
  root: NodeRef,
  onRead: (bytes: number) => void,
): AsyncGenerator<SalvagedPart, void, undefined> {
  const waiting: TreePlace[] = [rootPlace(root)]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { extent } = next.ref
    if (extent === undefined) continue
    const node = await readSound(pages, extent, next)
    onRead(extent.bytes)
    if (typeof node === 'string') {
      yield { kind: 'loss', loss: lossOf(pages, table, extent, next, node) }
    } else if (node.kind === 'branch') {
      waiting.push(...childPlaces(node, next))
    } else {
      yield* salvageLeaf(pages, table, node, onRead)
    }
  }
}

/** A text says why the node is of no use. */
async function readSound(
  pages: PageFile,
  extent: Extent,
  bounds: TreePlace,
): Promise<TreeNode | string> {
  if (bounds.depth > DEPTH_MAX) return 'the tree goes round in circles'
  try {
    const node = await pages.readNode(extent)
    const keys = node.kind === 'leaf' ? node.entries : node.separators
    return isWithin(keys, bounds) ? node : 'a node has keys that do not belong there'
  } catch (error) {
    if (isUnreadable(error) && error instanceof Error) return error.message
    throw error
  }
}

function isWithin(keys: PackedEntries, { low, high }: TreePlace): boolean {
  for (let i = 0; i < keys.count; i++) {
    const key = keys.keyAt(i)
    if (i === 0 && low !== undefined && compareBytes(key, low) < 0) return false
    if (i > 0 && compareBytes(keys.keyAt(i - 1), key) >= 0) return false
    if (high !== undefined && compareBytes(key, high) >= 0) return false
  }
  return true
}

async function* salvageLeaf(
  pages: PageFile,
  table: string,
  leaf: Leaf,
  onRead: (bytes: number) => void,
): AsyncGenerator<SalvagedPart, void, undefined> {
  let keys: Uint8Array[] = []
  let values: Uint8Array[] = []
  let bytes = 0
  for (let i = 0; i < leaf.size; i++) {
    const key = leaf.entries.keyAt(i)
    const value = leaf.valueAt(i)
    const whole = value instanceof LargeValue ? await readLarge(pages, value) : value
    if (value instanceof LargeValue) onRead(value.length)
    if (typeof whole === 'string') {
      const { file, offset } = placeOf(
        pages,
        value instanceof LargeValue ? value.extent : undefined,
      )
      const loss = { what: 'value', file, offset, table, key, message: whole } as const
      yield { kind: 'loss', loss }
      continue
    }
    keys.push(key)
    values.push(whole)
    bytes += whole.length
    if (bytes < PART_BYTES_MAX) continue
    yield { kind: 'entries', table, keys, values }
    keys = []
    values = []
    bytes = 0
  }
  if (keys.length > 0) yield { kind: 'entries', table, keys, values }
}

/** A text says why it cannot be read. */
async function readLarge(pages: PageFile, { extent }: LargeValue): Promise<Uint8Array | string> {
  if (extent === undefined) return 'a value has no place'
  try {
    const { payload } = await pages.read(extent, [extentKinds.value])
    return payload
  } catch (error) {
    if (isUnreadable(error) && error instanceof Error) return error.message
    throw error
  }
}

function placeOf(pages: PageFile, extent: Extent | undefined): { file: string; offset: number } {
  return { file: pages.file.name, offset: (extent?.start ?? 0) * UNIT_BYTES }
}

function lossOf(
  pages: PageFile,
  table: string,
  extent: Extent,
  { low, high }: TreePlace,
  message: string,
): StoreLoss {
  return {
    what: 'entries',
    ...placeOf(pages, extent),
    table,
    message,
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
  }
}
