/** What the tree costs: how full its nodes are, and how much of it a read touches. */
import { expect, test } from 'vitest'
import { Branch, branchOver, EditToken, leafOf, NodeRef, type TreeNode } from './node.ts'
import type { NodeSource } from './node-source.ts'
import { PackedEntries } from './packed-entries.ts'
import { Random } from './random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { tinySettings } from './store-workload.test-kit.ts'
import { type EditContext, TreeEditor } from './tree-editor.ts'
import { openTreeStore } from './tree-store.ts'

const NODE_BYTES = 512

function refuse(): never {
  throw new Error('everything is in memory')
}

const nothingToLoad: NodeSource = {
  makeRoom: () => {},
  load: refuse,
  loadOrFind: refuse,
  loadForScan: refuse,
  loadValue: refuse,
}

function createContext(): EditContext {
  return {
    source: nothingToLoad,
    nodeBytes: NODE_BYTES,
    largeValueBytes: NODE_BYTES / 4,
    token: new EditToken(),
    replaced: [],
    nodesAdded: 0,
  }
}

function createEditor(): TreeEditor {
  return new TreeEditor(undefined, createContext())
}

function nodesOf(root: NodeRef | undefined): TreeNode[] {
  const node = root?.node
  if (node === undefined) return []
  return node.kind === 'leaf' ? [node] : [node, ...node.children.flatMap(nodesOf)]
}

function averageBytes(editor: TreeEditor, kind: TreeNode['kind']): number {
  const nodes = nodesOf(editor.root).filter((node) => node.kind === kind)
  return nodes.reduce((sum, { bytes }) => sum + bytes, 0) / nodes.length
}

function averageLeafBytes(editor: TreeEditor): number {
  return averageBytes(editor, 'leaf')
}

function keyAt(index: number): Uint8Array {
  return bytesOf(String(index).padStart(8, '0'))
}

test('put: keys in order -> full leaves', async () => {
  const editor = createEditor()
  for (let i = 0; i < 5000; i++) await editor.put(keyAt(i), bytesOf('value'))
  expect(averageLeafBytes(editor)).toBeGreaterThan(NODE_BYTES * 0.9)
})

test('put: keys at random -> leaves over half full, none too big', async () => {
  const editor = createEditor()
  const random = new Random(1)
  for (let i = 0; i < 5000; i++) await editor.put(keyAt(random.below(1e8)), bytesOf('value'))
  expect(averageLeafBytes(editor)).toBeGreaterThan(NODE_BYTES * 0.55)
  for (const { bytes } of nodesOf(editor.root)) expect(bytes).toBeLessThanOrEqual(NODE_BYTES)
})

test('put: keys at random, separators much shorter than places of children -> branches over half full', async () => {
  const editor = createEditor()
  const random = new Random(4)
  for (let i = 0; i < 5000; i++) {
    const key = Uint8Array.from({ length: 16 }, () => random.below(256))
    await editor.put(key, bytesOf('value'))
  }
  expect(averageBytes(editor, 'branch')).toBeGreaterThan(NODE_BYTES * 0.5)
})

test('delete: most keys, in any order -> small nodes are merged', async () => {
  const editor = createEditor()
  const random = new Random(2)
  for (let i = 0; i < 5000; i++) await editor.put(keyAt(i), bytesOf('value'))
  for (let i = 0; i < 5000; i++) {
    const isKept = random.chance(0.05)
    if (!isKept) await editor.delete(keyAt((i * 1009) % 5000))
  }
  expect(editor.count).toBeGreaterThan(100)
  expect(averageLeafBytes(editor)).toBeGreaterThan(NODE_BYTES * 0.25)
})

test('delete: all keys -> no root', async () => {
  const editor = createEditor()
  for (let i = 0; i < 3000; i++) await editor.put(keyAt(i), bytesOf('value'))
  for (let i = 0; i < 3000; i++) expect(await editor.delete(keyAt((i * 1009) % 3000))).toBe(true)
  expect([editor.root, editor.count]).toEqual([undefined, 0])
})

test('delete: roots of one child, in the file and not on the way -> replaced too', async () => {
  const context = createContext()
  let unit = 16
  const stored = (node: TreeNode): NodeRef => new NodeRef(node, { start: unit++, bytes: 100 })
  const over = (key: Uint8Array): NodeRef => {
    const leaf = stored(leafOf(new EditToken(), key, bytesOf('value')))
    return stored(new Branch(undefined, PackedEntries.withRoomFor(0), [leaf]))
  }
  const [left, right] = [over(keyAt(1)), over(keyAt(2))]
  const root = stored(branchOver(new EditToken(), left, keyAt(2), right))
  const editor = new TreeEditor({ root, count: 2 }, context)
  expect(await editor.delete(keyAt(1))).toBe(true)
  const starts = context.replaced.map(({ extent }) => extent?.start)
  const units = [...starts, editor.root?.extent?.start].sort()
  expect([editor.root?.node?.kind, units]).toEqual(['leaf', [16, 17, 18, 19, 20]])
})

test('delete: again and again what was put -> no more nodes than there are', async () => {
  const context = createContext()
  const editor = new TreeEditor(undefined, context)
  for (let i = 0; i < 500; i++) await editor.put(keyAt(i), bytesOf('value'))
  expect(context.nodesAdded).toBe(nodesOf(editor.root).length)
  for (let i = 0; i < 500; i++) await editor.delete(keyAt((i * 7) % 500))
  expect(context.nodesAdded).toBe(0)
})

test('put: key and separator larger than a node -> stored', async () => {
  const editor = createEditor()
  const prefix = 'x'.repeat(2000)
  for (let i = 0; i < 50; i++) await editor.put(bytesOf(`${prefix}${i}`), bytesOf('value'))
  expect(editor.count).toBe(50)
  for (let i = 0; i < 50; i++) expect(await editor.delete(bytesOf(`${prefix}${i}`))).toBe(true)
  expect(editor.root).toBeUndefined()
})

test('read: opening and one key -> touches a path, not the tree', async () => {
  const random = new Random(3)
  const disk = new SimulatedDisk(random)
  const store = await openTreeStore(disk.mount(), tinySettings(random))
  await write(store, async (tx) => {
    for (let i = 0; i < 2000; i++) await tx.put('t', keyAt(i), bytesOf('some value'))
  })
  await store.close()
  const mount = disk.mount()
  const again = await openTreeStore(mount, { ...tinySettings(random), cacheBytes: 100_000 })
  expect(mount.operations).toBeLessThan(40)
  const before = mount.operations
  const snapshot = again.snapshot()
  const cursor = snapshot.scan('t', { gte: keyAt(1000), lte: keyAt(1001) })
  expect((await cursor.next(10)).keys.length).toBe(2)
  expect((await cursor.next(10)).keys.length).toBe(0)
  const reads = mount.operations - before
  expect(reads).toBeLessThanOrEqual(6)
  await snapshot.get('t', keyAt(1000))
  expect(mount.operations - before).toBe(reads)
  snapshot.release()
  await again.close()
})
