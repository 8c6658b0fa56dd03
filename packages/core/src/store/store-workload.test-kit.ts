/** Random transactions on a store, with the states they must lead to. */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { Durability, KeyValueStore, StoreSnapshot } from './key-value-store.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { assertSameState, hex, readState, type State } from './store-check.test-kit.ts'

const TABLES = ['a', 'b', 'c']
/** Its value is the number of the workload's last commit: an LSN also counts what maintenance commits. */
const MARKER = Uint8Array.of(0)

/** Settings under which little data makes splits, merges, large values and checkpoints happen. */
export function tinySettings(random: Random): {
  durability: Durability
  nodeBytes: number
  cacheBytes: number
  walCheckpointBytes: number
  walAllocationBytes: number
  scheduler: Scheduler
  randomBytes: (length: number) => Uint8Array
} {
  return {
    durability: 'strict',
    nodeBytes: 256,
    cacheBytes: 4000,
    walCheckpointBytes: 1500,
    walAllocationBytes: 2048,
    scheduler: promptScheduler,
    randomBytes: (length) => random.bytes(length),
  }
}

/** Timers that go off as soon as nothing else can run. */
export const promptScheduler: Scheduler = {
  after(_delayMs, task) {
    const timer = setImmediate(task)
    return () => clearImmediate(timer)
  },
}

export class Workload {
  readonly #random: Random
  /** `states[n]` is what holds after `n` commits. */
  readonly states: State[] = [new Map()]
  /** Commits that were acknowledged: all up to this one. */
  acknowledged = 0
  #pinned: { readonly snapshot: StoreSnapshot; readonly expected: State | undefined } | undefined

  constructor(random: Random) {
    this.#random = random
  }

  /** Commits handed over. */
  get issued(): number {
    return this.states.length - 1
  }

  /** Runs transactions, several commits at a time. Rejects with what a commit met. */
  async run(store: KeyValueStore, transactions: number): Promise<void> {
    const commits: Promise<void>[] = []
    for (let i = 0; i < transactions; i++) {
      commits.push((await this.#transaction(store)).durable)
      if (this.#random.chance(0.4)) await Promise.all(commits.splice(0))
      // Lets a checkpoint that is under way do a step.
      if (this.#random.chance(0.6)) await new Promise((resolve) => setImmediate(resolve))
      await this.#lookBack(store)
    }
    await Promise.all(commits)
  }

  /** Runs transactions one at a time. Those that find no space leave no trace. */
  async runOneByOne(store: KeyValueStore, transactions: number): Promise<void> {
    for (let i = 0; i < transactions; i++) {
      const { durable } = await this.#transaction(store)
      await durable.catch((error) => {
        if (!isEntiDBError(error, 'disk_full')) throw error
        this.states.pop()
      })
      if (this.#random.chance(0.6)) await new Promise((resolve) => setImmediate(resolve))
      await this.#lookBack(store)
    }
  }

  /** Holds a snapshot open for a while; it must show the same state at its end. */
  async #lookBack(store: KeyValueStore): Promise<void> {
    if (this.#pinned === undefined) {
      if (!this.#random.chance(0.2)) return
      const snapshot = store.snapshot()
      this.#pinned = { snapshot, expected: this.states[await numberOf(snapshot)] }
    } else if (this.#random.chance(0.2)) {
      const { snapshot, expected } = this.#pinned
      this.#pinned = undefined
      assertSameState(await readState(snapshot), expected, 'a snapshot held for a while')
      snapshot.release()
    }
  }

  /** Resolves when the commit is handed over, with what it comes to. */
  async #transaction(store: KeyValueStore): Promise<{ readonly durable: Promise<void> }> {
    const random = this.#random
    if (random.chance(0.1)) {
      const abandoned = await store.begin()
      try {
        await abandoned.put('a', random.bytes(2), random.bytes(30))
      } finally {
        abandoned.rollback()
      }
    }
    const tx = await store.begin()
    const last: State = this.states.at(-1) ?? new Map()
    const state = new Map([...last].map(([name, entries]) => [name, new Map(entries)]))
    // Always a change, so that every commit has an LSN.
    const number = new TextEncoder().encode(String(this.states.length))
    try {
      await tx.put('commits', MARKER, number)
      entriesOf(state, 'commits').set(hex(MARKER), hex(number))
      for (let i = random.below(8); i >= 0; i--) await this.#operation(tx, state)
    } catch (error) {
      // A read failed; nobody could write any more if this were left open.
      tx.rollback()
      throw error
    }
    this.states.push(state)
    const commitNumber = this.issued
    return { durable: this.#acknowledge(tx.commit(), commitNumber) }
  }

  #acknowledge(commit: Promise<void>, number: number): Promise<void> {
    const done = commit.then(() => {
      this.acknowledged = Math.max(this.acknowledged, number)
    })
    // Whoever collects the commits may look later than it fails.
    done.catch(() => {})
    return done
  }

  async #operation(
    tx: Awaited<ReturnType<KeyValueStore['begin']>>,
    state: Map<string, Map<string, string>>,
  ): Promise<void> {
    const random = this.#random
    const table = TABLES[random.below(TABLES.length)] ?? 'a'
    const entries = entriesOf(state, table)
    const key = Uint8Array.of(random.below(2), random.below(40), ...random.bytes(random.below(2)))
    const kind = random.next()
    if (kind < 0.65) {
      const value = random.bytes(random.chance(0.1) ? 100 + random.below(900) : random.below(40))
      await tx.put(table, key, value)
      entries.set(hex(key), hex(value))
    } else if (kind < 0.98) {
      const existed = await tx.delete(table, key)
      if (existed !== entries.delete(hex(key))) throw new Error('delete answered wrongly')
    } else {
      await tx.clear(table)
      entries.clear()
    }
    if (entries.size === 0) state.delete(table)
  }
}

async function numberOf(snapshot: StoreSnapshot): Promise<number> {
  const value = await snapshot.get('commits', MARKER)
  return value === undefined ? 0 : Number(new TextDecoder().decode(value))
}

function entriesOf(state: Map<string, Map<string, string>>, table: string): Map<string, string> {
  let entries = state.get(table)
  if (entries === undefined) {
    entries = new Map()
    state.set(table, entries)
  }
  return entries
}
