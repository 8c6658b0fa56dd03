/** Where the tables of a store lie, from their branches alone: leaves, the bulk of it, are not read. */
import type { NamedTable } from './catalog.ts'
import { UNIT_BYTES } from './extent.ts'
import type { StoreLayout, TableLayout } from './key-value-store.ts'
import { at, type NodeRef, type TreeNode } from './node.ts'
import type { PageFile } from './page-file.ts'
import type { SpaceMap } from './space.ts'
import type { Superblock } from './superblock.ts'

export async function layoutOf(
  tables: readonly NamedTable[],
  pages: PageFile,
  space: Pick<SpaceMap, 'endUnit' | 'freeUnits'>,
  superblock: Superblock,
): Promise<StoreLayout> {
  const { sequence, sealed, checkpointLsn, requiredLsn, walGeneration, storeId } = superblock
  const measured: TableLayout[] = []
  for (const [name, { root, count }] of tables) {
    const sizes = root === undefined ? NOTHING : await measure(root, pages)
    measured.push({ name, entries: count, ...sizes })
  }
  return {
    storeId: Array.from(storeId, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    superblock: { sequence, sealed, checkpointLsn, requiredLsn, walGeneration },
    dataBytes: space.endUnit * UNIT_BYTES,
    freeBytes: space.freeUnits * UNIT_BYTES,
    tables: measured,
  }
}

type Sizes = Pick<TableLayout, 'depth' | 'nodes' | 'nodeBytes'>

const NOTHING: Sizes = { depth: 0, nodes: 0, nodeBytes: 0 }

async function measure(root: NodeRef, pages: PageFile): Promise<Sizes> {
  const depth = await depthOf(root, pages)
  let nodes = 0
  let nodeBytes = 0
  const waiting: { readonly ref: NodeRef; readonly level: number }[] = [{ ref: root, level: 1 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { ref, level } = next
    nodes++
    nodeBytes += ref.extent?.bytes ?? ref.node?.bytes ?? 0
    if (level === depth) continue
    const node = await nodeOf(ref, pages)
    if (node.kind === 'leaf') continue
    for (const child of node.children) waiting.push({ ref: child, level: level + 1 })
  }
  return { depth, nodes, nodeBytes }
}

/** All leaves are equally deep. */
async function depthOf(root: NodeRef, pages: PageFile): Promise<number> {
  let depth = 1
  let node = await nodeOf(root, pages)
  for (; node.kind === 'branch'; depth++) node = await nodeOf(at(node.children, 0), pages)
  return depth
}

function nodeOf(ref: NodeRef, pages: PageFile): TreeNode | Promise<TreeNode> {
  pages.makeRoom()
  return pages.load(ref)
}
