import { describe, expect, test } from 'vitest'
import { branchOver, EditToken, type Leaf, leafOf, NodeRef } from './node.ts'
import { NodeCache } from './node-cache.ts'
import { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { SimulatedDisk } from './simulated-disk.ts'
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

  test('any nodes come, are used and replaced -> counts those in memory, within what is left of the budget', () => {
    const random = new Random(3)
    const cache = new NodeCache(20 * leafBytes)
    const refs: NodeRef[] = []
    for (let step = 0; step < 2000; step++) {
      const ref = refs[random.below(refs.length + 1)]
      if (ref === undefined || random.chance(0.4)) refs.push(cachedLeaf(cache, `leaf ${step}`))
      else if (random.chance(0.5)) cache.noteReplaced(ref)
      else if (ref.node !== undefined) ref.wasUsed = true
      const unwritten = random.below(40) * leafBytes
      cache.noteUnwritten(unwritten)
      if (random.chance(0.2)) {
        cache.makeRoom()
        cache.makeRoom()
        expect(cache.bytes).toBeLessThanOrEqual(Math.max(20 * leafBytes - unwritten, 5 * leafBytes))
      }
      const held = refs.reduce((sum, { node }) => sum + (node?.memoryBytes ?? 0), 0)
      expect(cache.bytes).toBe(held)
    }
  })

  test('a node is replaced -> leaves the memory at once', () => {
    const cache = new NodeCache(100 * leafBytes)
    const ref = cachedLeaf(cache, 'a')
    cachedLeaf(cache, 'b')
    cache.noteReplaced(ref)
    expect(ref.node).toBeUndefined()
    expect(cache.bytes).toBe(leafBytes)
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

test('store: the same data rewritten again and again -> nothing but its last state stays in memory', async () => {
  const random = new Random(2)
  const disk = new SimulatedDisk(random)
  const settings = { durability: 'strict', scheduler: promptScheduler } as const
  const store = await openTreeStore(disk.mount(), settings)
  const entryBytes = 120
  for (let round = 0; round < 10; round++) {
    await write(store, async (tx) => {
      for (let i = 0; i < 1000; i++) {
        await tx.put('t', bytesOf(`key ${i}`), bytesOf(`value ${round}`.padEnd(entryBytes)))
      }
    })
    await store.checkpoint()
  }
  // Nodes are two thirds full, have room, and cost something each.
  expect(store.stats().cacheBytes).toBeLessThan(2.5 * 1000 * entryBytes)
  expect(store.stats().cacheBytes).toBeGreaterThan(1000 * entryBytes)
  await store.close()
})

test('store: a snapshot of nodes that were replaced since -> reads them from the file', async () => {
  const disk = new SimulatedDisk(new Random(4))
  const store = await openTreeStore(disk.mount(), { durability: 'strict', nodeBytes: 512 })
  const put = (value: string) =>
    write(store, async (tx) => {
      for (let i = 0; i < 200; i++) await tx.put('t', bytesOf(`key ${i}`), bytesOf(value))
    })
  await put('before')
  await store.checkpoint()
  const snapshot = store.snapshot()
  await put('after')
  await store.checkpoint()
  for (let i = 0; i < 200; i++) {
    expect(await snapshot.get('t', bytesOf(`key ${i}`))).toEqual(bytesOf('before'))
  }
  snapshot.release()
  await store.close()
})

test('store: transactions that fill the memory faster than a checkpoint writes -> wait for it', async () => {
  const disk = new SimulatedDisk(new Random(5))
  let isHeld = false
  const held: (() => void)[] = []
  const scheduler: Scheduler = {
    after(delayMs, task) {
      if (!isHeld) return promptScheduler.after(delayMs, task)
      held.push(task)
      return () => {}
    },
  }
  const settings = { durability: 'strict', nodeBytes: 1024, cacheBytes: 20_000, scheduler } as const
  const store = await openTreeStore(disk.mount(), settings)
  await write(store, async (tx) => {
    for (let i = 0; i < 6000; i++) await tx.put('t', bytesOf(`key ${i}`), new Uint8Array(100))
  })
  isHeld = true
  let hasBegun = false
  const begun = store.begin().then((tx) => {
    hasBegun = true
    tx.rollback()
  })
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  expect(hasBegun).toBe(false)
  isHeld = false
  for (const task of held) task()
  await begun
  expect(store.stats().checkpoints).toBe(1)
  await store.close()
})
