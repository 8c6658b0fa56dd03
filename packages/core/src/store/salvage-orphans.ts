/**
 * The last resort, when no catalog is left: trees are known by their nodes alone. Every unit of the file is looked
 * at; a node that no other one refers to is a root, of a table that nobody can name, or of an earlier state of one.
 */
import type { File } from '../files/file-system.ts'
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES, unitsOf } from './extent.ts'
import { EXTENT_HEADER_BYTES, extentKinds } from './extent-codec.ts'
import { viewOf } from './format.ts'
import { NodeRef, type TreeNode } from './node.ts'
import { NodeCache } from './node-cache.ts'
import { PageFile } from './page-file.ts'
import { isUnreadable, readWhatCanBeRead } from './salvage-catalog.ts'
import type { SalvagedPart } from './salvage-part.ts'
import { salvageTable } from './salvage-tree.ts'
import { FIRST_UNIT } from './superblock.ts'

/** What entries are said to be of: the table of one root. */
export const ORPHAN_PREFIX = 'orphan:'

const STEP_UNITS = 2048

export async function* salvageOrphans(
  file: File,
  checksum: Checksum,
): AsyncGenerator<SalvagedPart, void, undefined> {
  const rootsByStart = new Map<number, FoundNode>()
  const children = new Set<number>()
  for await (const found of nodesIn(file, checksum)) {
    rootsByStart.set(found.extent.start, found)
    if (found.node.kind === 'leaf') continue
    for (const { extent } of found.node.children)
      if (extent !== undefined) children.add(extent.start)
  }
  let roots = 0
  for (const [start, { extent, pages }] of rootsByStart) {
    if (children.has(start)) continue
    const table = `${ORPHAN_PREFIX}${++roots}`
    for await (const part of salvageTable(pages, table, new NodeRef(undefined, extent), () => {})) {
      // What an earlier state has lost by now is no loss.
      if (part.kind !== 'loss') yield part
    }
  }
}

interface FoundNode {
  readonly extent: Extent
  readonly pages: PageFile
  readonly node: TreeNode
}

async function* nodesIn(
  file: File,
  checksum: Checksum,
): AsyncGenerator<FoundNode, void, undefined> {
  const step = new Uint8Array(STEP_UNITS * UNIT_BYTES)
  const units = Math.ceil(file.size() / UNIT_BYTES)
  let next = FIRST_UNIT
  for (let first = FIRST_UNIT; first < units; first += STEP_UNITS) {
    const length = await readWhatCanBeRead(file, first * UNIT_BYTES, step)
    for (let at = 0; at + EXTENT_HEADER_BYTES <= length; at += UNIT_BYTES) {
      const unit = first + at / UNIT_BYTES
      // Inside of a node that is whole there is no other one.
      if (unit < next) continue
      const found = await nodeAt(file, step.subarray(at, at + EXTENT_HEADER_BYTES), unit, checksum)
      if (found === undefined) continue
      next = unit + unitsOf(found.extent.bytes)
      yield found
    }
  }
}

async function nodeAt(
  file: File,
  header: Uint8Array,
  unit: number,
  checksum: Checksum,
): Promise<FoundNode | undefined> {
  const view = viewOf(header)
  const kind = view.getUint32(0, true)
  const isNode = kind === extentKinds.leaf || kind === extentKinds.branch
  const bytes = view.getUint32(4, true) + EXTENT_HEADER_BYTES
  const isPlausible = isNode && view.getUint32(8, true) === unit
  if (!isPlausible || unit * UNIT_BYTES + bytes > file.size()) return undefined
  const extent = { start: unit, bytes }
  const pages = new PageFile(file, header.slice(12, 16), checksum, new NodeCache(0))
  try {
    return { extent, pages, node: await pages.readNode(extent) }
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}
