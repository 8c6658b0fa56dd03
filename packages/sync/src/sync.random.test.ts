/**
 * Several devices edit, transfer, delete and sync at random, over a network that fails at random, with
 * crashes. At the end everything is let through, and then: all copies are equal, every token that was
 * ever added is there, money is neither made nor lost.
 */
import { expect, test } from 'vitest'
import { Device, syncAll, tokensOf, unionResolver } from './test-kit/device.test-kit.ts'
import { CrashError } from './test-kit/faulty-engine.test-kit.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'

const RUNS = Number(process.env.SYNC_RUNS ?? 150)
const FIRST_SEED = Number(process.env.SYNC_SEED ?? 1)
const ACCOUNTS = ['x', 'y', 'z']
const NOTES = ['n1', 'n2', 'n3']
/** Hold no tokens. */
const CHURNED = ['d1', 'd2']

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

class Run {
  readonly random: () => number
  readonly server: ModelServer
  readonly devices: Device[] = []
  readonly tokens = new Set<string>()
  readonly faultRate: number
  readonly crashRate: number
  readonly restores: boolean
  readonly purges: boolean
  transfers = 0
  restored = false
  #backup: ReturnType<ModelServer['database']['backup']> | undefined
  trouble = true

  constructor(seed: number) {
    this.random = randomFrom(seed)
    this.faultRate = this.random() < 0.3 ? 0 : this.random() * 0.4
    this.crashRate = this.random() < 0.5 ? 0 : this.random() * 0.3
    this.restores = this.random() < 0.3
    this.purges = this.random() < 0.3
    // Below the purge horizon a server serves a pull from 0 in one page only.
    const maxPullOps = this.purges ? 1_000 : 1 + this.below(5)
    this.server = new ModelServer({ limits: { maxOpsPerPush: 2 + this.below(6), maxPullOps } })
    this.server.fault = () => this.#fault()
  }

  below(count: number): number {
    return Math.floor(this.random() * count)
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  #fault(): Fault {
    if (!this.trouble || this.random() >= this.faultRate) return 'pass'
    return this.pick(['refuse', 'lose', 'lose', 'twice'] as const)
  }

  async open(): Promise<void> {
    const count = 2 + this.below(2)
    for (let i = 0; i < count; i++) {
      this.devices.push(
        await Device.open({
          fetch: this.server.fetch,
          config: {
            ...(i > 0 && this.random() < 0.3 ? {} : { conflictResolver: unionResolver }),
            environment: { random: this.random },
          },
        }),
      )
    }
    const [first] = this.devices
    for (const id of ACCOUNTS) await first?.db.collection('accounts').put({ id, balance: 100 })
    await first?.syncThrough()
  }

  async step(): Promise<void> {
    const device = this.pick(this.devices)
    const dice = this.random()
    if (dice < 0.35) await this.#edit(device)
    else if (dice < 0.45) await this.#transfer(device)
    else if (dice < 0.5) await this.#churn(device)
    else if (dice < 0.53) await this.#editLate(device)
    else if (dice < 0.6) await settleConflicts(device, this.random)
    else if (dice < 0.64) this.#serverMishap()
    else if (dice < 0.68) await this.#leaveOut(device)
    else await this.#sync(device)
  }

  /** Creates, changes and deletes entities that hold no tokens. */
  async #churn(device: Device): Promise<void> {
    const notes = device.db.collection('notes')
    const id = this.pick(CHURNED)
    if (this.random() < 0.5) await notes.delete(id)
    else await notes.put({ id, tokens: [`churn ${this.random()}`] })
  }

  /** Saves a form that was opened some syncs ago. */
  async #editLate(device: Device): Promise<void> {
    const id = this.pick(NOTES)
    const seen = await device.db.collection('notes').get(id)
    if (seen === undefined) return
    await this.#sync(device)
    const token = `t${this.tokens.size}`
    this.tokens.add(token)
    const tokens = [...seen.tokens, token].sort()
    await device.db.transaction(async (tx) => {
      const notes = tx.collection('notes')
      // A local edit meanwhile is the application's own to overwrite: it keeps what it finds.
      const { pending } = await tx.replica.state('notes', id)
      const now = pending ? tokensOf(await notes.get(id)) : []
      const all = [...new Set([...tokens, ...now])].sort()
      await notes.put({ id, tokens: all }, pending ? {} : { basedOn: seen })
    })
  }

  /** Drops local copies, now and then all of them. */
  async #leaveOut(device: Device): Promise<void> {
    const dice = this.random()
    // What only this device could offer to a server that lost it is not left out.
    if (dice < 0.2 && !this.restores) await this.#signOutAndIn(device)
    else if (dice < 0.4) await device.sync.fetch('notes', CHURNED).catch(passing)
    else await device.sync.evict('notes', this.pick(CHURNED), { unsynced: 'skip' })
  }

  async #signOutAndIn(device: Device): Promise<void> {
    const signOut = await device.sync.signOut()
    if (signOut.unsynced.entities.length > 0) return
    await signOut.finish().catch((error) => {
      if (error?.code !== 'unsynced_edits') throw error
    })
    device.restart()
  }

  #serverMishap(): void {
    const { database } = this.server
    const dice = this.random()
    if (this.restores && dice < 0.3) this.#backup = database.backup()
    else if (this.restores && dice < 0.5 && this.#backup !== undefined) {
      database.restore(this.#backup)
      this.restored = true
    } else if (this.purges && dice < 0.6) database.purge()
    else if (dice < 0.8) database.reopen()
    else database.compact()
  }

  async #edit(device: Device): Promise<void> {
    const token = `t${this.tokens.size}`
    this.tokens.add(token)
    await device.addToken(this.pick(NOTES), token)
  }

  async #transfer(device: Device): Promise<void> {
    const [from, to, amount] = [this.pick(ACCOUNTS), this.pick(ACCOUNTS), 1 + this.below(20)]
    if (from === to) return
    await device.db.transaction(async (tx) => {
      const accounts = tx.collection('accounts')
      const [a, b] = [await accounts.get(from), await accounts.get(to)]
      if (a === undefined || b === undefined) return
      // Two transfers that happen to end in the same bytes would count as one and the same edit.
      const last = `transfer ${this.transfers}`
      this.transfers += 1
      await accounts.put({ ...a, balance: a.balance - amount, last })
      await accounts.put({ ...b, balance: b.balance + amount, last })
    })
  }

  async #sync(device: Device): Promise<void> {
    if (this.random() < this.crashRate) {
      device.engine.crashAt = device.engine.transactions + this.below(8)
      device.engine.crashPoint = this.pick(['before', 'after'] as const)
    }
    const editing = this.random() < 0.3 ? this.#edit(device) : undefined
    const rate = this.random() < 0.5 ? 0 : 0.2
    device.engine.between = async () => {
      if (this.trouble && this.random() < rate) await this.#edit(device)
    }
    await device.sync.sync().catch(passing)
    await editing
    if (device.engine.crashAt !== undefined) device.restart()
  }

  async end(): Promise<void> {
    this.trouble = false
    for (let open = 1; open > 0; ) {
      await syncAll(...this.devices)
      open = 0
      for (const device of this.devices) open += await settleConflicts(device)
    }
    for (const device of this.devices) {
      expect(await device.sync.verify()).toMatchObject({ outcome: 'converged' })
      expect(await device.sync.fetch('notes', CHURNED)).toEqual({ missing: [] })
    }
    const [first, ...rest] = this.devices
    const contents = await first?.contents()
    for (const device of rest) expect(await device.contents()).toEqual(contents)
    expect(contents).toEqual(new Map([...this.server.database.live()].sort(byKey)))
    const found = new Set<string>()
    for (const id of NOTES) {
      for (const token of tokensOf(await first?.db.collection('notes').get(id))) found.add(token)
    }
    expect([...this.tokens].filter((token) => !found.has(token))).toEqual([])
    const balances = await first?.db.collection('accounts').find({})
    // A server that lost transfers is offered each account again by itself.
    if (!this.restored) {
      expect(balances?.reduce((sum, { balance }) => sum + balance, 0)).toBe(300)
    }
    for (const device of this.devices) {
      expect(device.sync.status).toMatchObject({ pending: 0, held: 0 })
      expect(await device.sync.conflicts.list()).toEqual([])
      expect(await device.sync.verify()).toMatchObject({ outcome: 'converged' })
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.close()))
  }
}

/** A lost answer, or a crash that was asked for. */
function passing(error: unknown): void {
  if (error instanceof CrashError) return
  if ((error as { readonly retry?: string }).retry !== 'later') throw error // an error of ours, or a bug
}

/** What a person does: settles conflicts as the resolver would. Returns how many there were. */
async function settleConflicts(device: Device, random: () => number = () => 0): Promise<number> {
  let settled = 0
  for (const { id, local, remote, base, group } of await device.sync.conflicts.list()) {
    if (random() > 0.7) continue
    const { signal } = new AbortController()
    const resolution = await unionResolver.resolve(local, remote, { base, group, signal })
    settled += 1
    await device.sync.conflicts.resolve(id, resolution).catch((error) => {
      if (error?.code !== 'conflict_changed') throw error
    })
  }
  return settled
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

test(`random devices: ${RUNS} runs -> equal copies, no token lost, money kept`, {
  timeout: 60_000 + RUNS * 1_000,
}, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const run = new Run(seed)
    try {
      await run.open()
      const steps = 10 + run.below(30)
      for (let i = 0; i < steps; i++) await run.step()
      await run.end()
    } catch (error) {
      throw new Error(`seed ${seed} fails (SYNC_SEED=${seed} SYNC_RUNS=1)`, { cause: error })
    } finally {
      await run.close()
    }
  }
})
