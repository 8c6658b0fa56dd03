/** The files of small stores in which every kind of thing that a file can hold occurs. */
import type { Files } from '../format-reader/read-store.test-kit.ts'
import type { WriteTransaction } from '../key-value-store.ts'
import { Random } from '../random.ts'
import { SimulatedDisk } from '../simulated-disk.ts'
import { readState, type State } from '../store-check.test-kit.ts'
import { bytesOf, write } from '../store-conformance-support.ts'
import { openTreeStore } from '../tree-store.ts'
import type { TreeStoreOptions } from '../tree-store-options.ts'

/** Small nodes and logs, and nothing that waits longer than it must. */
export function smallSettings(seed: number): TreeStoreOptions {
  const random = new Random(seed)
  return {
    durability: 'strict',
    nodeBytes: 128,
    cacheBytes: 2000,
    walCheckpointBytes: 1_000_000,
    walAllocationBytes: 600,
    // What waits for time to pass (a `relaxed` flush) waits for ever.
    scheduler: { after: (delayMs, task) => (delayMs === 0 ? onNextTurn(task) : () => {}) },
    randomBytes: (length) => random.bytes(length),
  }
}

function onNextTurn(task: () => void): () => void {
  let isCancelled = false
  queueMicrotask(() => {
    if (!isCancelled) task()
  })
  return () => {
    isCancelled = true
  }
}

export interface SmallFiles {
  readonly name: string
  readonly files: Files
  /** `states[n]` is what holds after `n` commits; those that a log may lose at its torn end included. */
  readonly states: readonly State[]
}

type Change = (tx: WriteTransaction) => Promise<void>

const first: Change = async (tx) => {
  for (let i = 0; i < 6; i++) await tx.put('a', bytesOf(`key ${i}`), bytesOf(`value ${i * i}`))
  await tx.put('a', bytesOf('large'), new Uint8Array(90).fill(7))
  await tx.put('b', bytesOf('b'), new Uint8Array(0))
}
const second: Change = async (tx) => {
  await tx.delete('a', bytesOf('key 1'))
  await tx.put('a', bytesOf('key 2'), bytesOf('other'))
  await tx.clear('b')
}
const third: Change = (tx) => Promise.resolve(tx.put('c', bytesOf('c'), new Uint8Array(50).fill(9)))

/** A closed store; one with a log of two frames; one whose log goes on in a second one. */
export async function smallFiles(): Promise<SmallFiles[]> {
  const disk = new SimulatedDisk(new Random(1))
  let chain: Files | undefined
  let isCheckpointing = false
  const failure = (operation: string, file: string) => {
    const isDataFlush = operation === 'flush' && file === 'data.entidb'
    if (isCheckpointing && isDataFlush) chain ??= disk.image()
    return undefined
  }
  const store = await openTreeStore(disk.mount({ failure }), smallSettings(1))
  const states: State[] = [new Map()]
  const commit = async (change: Change): Promise<void> => {
    await write(store, change)
    const snapshot = store.snapshot()
    states.push(await readState(snapshot))
    snapshot.release()
  }
  await commit(first)
  await store.checkpoint()
  await commit(second)
  await commit(third)
  const withLog = disk.image()
  isCheckpointing = true
  await store.checkpoint()
  await store.close()
  if (chain === undefined) throw new Error('the checkpoint flushed nothing')
  return [
    { name: 'closed', files: disk.image(), states },
    { name: 'with a log', files: withLog, states },
    { name: 'with two logs', files: chain, states },
  ]
}

/** One entry, closed: small enough to try every bit. */
export async function oneEntryFiles(): Promise<SmallFiles> {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), smallSettings(1))
  await write(store, (tx) => tx.put('a', bytesOf('key'), bytesOf('value')))
  const snapshot = store.snapshot()
  const states = [new Map(), await readState(snapshot)]
  snapshot.release()
  await store.close()
  return { name: 'one entry', files: disk.image(), states }
}
