import { describe, expect, test } from 'vitest'
import { branchOver, EditToken, type Leaf, leafOf, NodeRef } from './node.ts'
import { NodeCache } from './node-cache.ts'
import { Random } from './random.test-kit.ts'
import { SimulatedDisk } from './simulated-disk.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { promptScheduler } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

const edit = new EditToken()

function leaf(name: string): Leaf {
  return leafOf(edit, bytesOf(name), bytesOf('value'))
}

function cachedLeaf(cache: NodeCache, name: string): NodeRef {
  const node = leaf(name)
  const ref = new NodeRef(node, { start: 16, bytes: 40 })
  cache.add(ref, node)
  return ref
}

describe('node cache', () => {
  const leafBytes = leaf('a').memoryBytes

  test('more than the budget -> drops what was not used, keeps what was', () => {
    const cache = new NodeCache(4 * leafBytes)
    const refs = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => cachedLeaf(cache, name))
    const inMemory = () => refs.map(({ node }) => node !== undefined)
    cache.makeRoom()
    expect(inMemory()).toEqual([true, true, true, true, true, true])
    for (const ref of refs.slice(0, 3)) ref.wasUsed = true
    cache.makeRoom()
    expect(inMemory().slice(0, 3)).toEqual([true, true, true])
    expect(cache.bytes).toBe(4 * leafBytes)
    cache.makeRoom()
    expect(cache.bytes).toBe(4 * leafBytes)
  })

  test('a branch over nodes in memory -> stays until they are gone', () => {
    const cache = new NodeCache(0)
    const left = cachedLeaf(cache, 'a')
    const right = cachedLeaf(cache, 'b')
    const branch = branchOver(edit, left, bytesOf('b'), right)
    const root = new NodeRef(branch, { start: 20, bytes: 40 })
    cache.add(root, branch)
    cache.makeRoom()
    expect([left, right, root].every(({ node }) => node !== undefined)).toBe(true)
    for (let lap = 0; lap < 3; lap++) {
      const hasChildren = left.node !== undefined || right.node !== undefined
      cache.makeRoom()
      if (hasChildren) expect([left.node, right.node]).toEqual([undefined, undefined])
    }
    expect(root.node).toBeUndefined()
    expect(cache.bytes).toBe(0)
  })
})

test('store: data many times the cache -> all read, and the cache stays within its budget', async () => {
  const random = new Random(1)
  const disk = new SimulatedDisk(random)
  const settings = { durability: 'strict', nodeBytes: 1024, scheduler: promptScheduler } as const
  const store = await openTreeStore(disk.mount(), { ...settings, cacheBytes: 20_000 })
  for (let round = 0; round < 20; round++) {
    await write(store, async (tx) => {
      for (let i = 0; i < 200; i++) {
        const key = bytesOf(`key ${round} ${i}`)
        await tx.put('t', key, bytesOf(`value ${round} ${i}`.padEnd(100)))
      }
    })
  }
  await store.checkpoint()
  const snapshot = store.snapshot()
  for (let i = 0; i < 2000; i++) {
    const [round, entry] = [random.below(20), random.below(200)]
    const found = await snapshot.get('t', bytesOf(`key ${round} ${entry}`))
    expect(found).toEqual(bytesOf(`value ${round} ${entry}`.padEnd(100)))
    // At first everything is new; later the paths of two operations may be more than fits.
    if (i < 10) continue
    expect(store.stats().cacheBytes).toBeLessThan(40_000)
  }
  snapshot.release()
  await store.close()
})
