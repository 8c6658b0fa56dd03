/** A store that follows a script, and the states that the script leads to. */
import { strict as assert } from 'node:assert'
import { EntiDBError, isEntiDBError } from '../../errors/entidb-error.ts'
import type { KeyValueStore, WriteTransaction } from '../key-value-store.ts'
import { nextTurn } from '../next-turn.test-kit.ts'
import { Random } from '../random.ts'
import { SimulatedDisk } from '../simulated-disk.ts'
import type { MountOptions, SimulatedMount } from '../simulated-mount.ts'
import { assertSameState, hex, readState, type State } from '../store-check.test-kit.ts'
import { bytesOf } from '../store-conformance-support.ts'
import { openTreeStore } from '../tree-store.ts'
import type { TreeStoreOptions } from '../tree-store-options.ts'

type Tables = Map<string, Map<string, string>>

/** Changes to a transaction and to the state that it leads to, in one. */
export class Edits {
  readonly #tx: WriteTransaction
  readonly #state: Tables

  constructor(tx: WriteTransaction, state: Tables) {
    this.#tx = tx
    this.#state = state
  }

  async put(table: string, key: string, value: string | Uint8Array): Promise<void> {
    const bytes = typeof value === 'string' ? bytesOf(value) : value
    await this.#tx.put(table, bytesOf(key), bytes)
    const entries = this.#state.get(table) ?? new Map<string, string>()
    this.#state.set(table, entries.set(hex(bytesOf(key)), hex(bytes)))
  }

  async delete(table: string, key: string): Promise<void> {
    const existed = this.#state.get(table)?.delete(hex(bytesOf(key))) ?? false
    assert.equal(await this.#tx.delete(table, bytesOf(key)), existed, `delete ${key}`)
    if (this.#state.get(table)?.size === 0) this.#state.delete(table)
  }

  async clear(table: string): Promise<void> {
    await this.#tx.clear(table)
    this.#state.delete(table)
  }
}

export type Change = (edits: Edits) => Promise<unknown>

/** What a script does, from an empty disk on. */
export type Script = (run: ScriptedRun) => Promise<void>

export class ScriptedRun {
  readonly disk: SimulatedDisk
  readonly mount: SimulatedMount
  /** `states[n]` is what holds after `n` commits. */
  readonly states: State[] = [new Map()]
  /** Commits that were resolved: a killed process does not lose them. */
  resolved = 0
  /** Commits that a power loss does not lose either. */
  acknowledged = 0
  /** Nothing can grow. */
  isDiskFull = false
  /** The store that was opened last. */
  store: KeyValueStore | undefined
  readonly #settings: TreeStoreOptions

  constructor(seed: number, settings: TreeStoreOptions, options: MountOptions) {
    this.disk = new SimulatedDisk(new Random(seed))
    const failure: MountOptions['failure'] = (operation, file, count, growth) =>
      options.failure?.(operation, file, count, growth) ?? this.#refuse(operation, file, growth)
    // Commits that come while a flush is under way share the next frame.
    this.mount = this.disk.mount({ flushDelay: nextTurn, ...options, failure })
    this.#settings = settings
  }

  get issued(): number {
    return this.states.length - 1
  }

  async open(): Promise<KeyValueStore> {
    this.store = await openTreeStore(this.mount, this.#settings)
    return this.store
  }

  /** Resolves when it is durable. What finds no space leaves no trace. */
  async commit(store: KeyValueStore, change: Change): Promise<void> {
    await (await this.handOver(store, change)).durable
  }

  /** Resolves when the commit is on its way. */
  async handOver(store: KeyValueStore, change: Change): Promise<{ durable: Promise<void> }> {
    const tx = await store.begin()
    const latest = this.states.at(-1) ?? new Map()
    const state: Tables = new Map([...latest].map(([name, entries]) => [name, new Map(entries)]))
    try {
      await change(new Edits(tx, state))
    } catch (error) {
      tx.rollback()
      throw error
    }
    const number = this.states.push(state) - 1
    const durable = tx.commit().then(
      () => {
        this.resolved = Math.max(this.resolved, number)
        if (this.#settings.durability === 'strict') this.acknowledged = this.resolved
      },
      (error) => {
        if (isEntiDBError(error, 'disk_full')) this.states.pop()
        throw error
      },
    )
    // Whoever collects commits may look later than one fails.
    durable.catch(() => {})
    return { durable }
  }

  /** A store was reopened at `lastLsn`: now the fate of every commit is known. */
  settle(lastLsn: number): void {
    assert(lastLsn >= this.acknowledged && lastLsn <= this.issued, `recovered ${lastLsn} commits`)
    this.states.length = lastLsn + 1
    this.resolved = lastLsn
    this.acknowledged = lastLsn
  }

  async checkpoint(store: KeyValueStore): Promise<void> {
    const { resolved } = this
    await store.checkpoint()
    this.acknowledged = Math.max(this.acknowledged, resolved)
  }

  async close(store: KeyValueStore): Promise<void> {
    await store.close()
    this.acknowledged = this.resolved
  }

  #refuse(operation: string, file: string, growth: number): EntiDBError | undefined {
    if (!this.isDiskFull || growth === 0) return undefined
    const details = { file, operation }
    return new EntiDBError('disk_full', 'simulated', { details, retry: 'later' })
  }

  /** Snapshots show the last commit that was resolved. */
  async expectLatest(store: KeyValueStore, label: string): Promise<void> {
    const snapshot = store.snapshot()
    assertSameState(await readState(snapshot), this.states[this.resolved], label)
    snapshot.release()
  }
}
