import type { Commit, Engine, EngineSnapshot, EngineTransaction, FeedRow } from '../state/engine.ts'

export type CrashPoint = 'before' | 'after'

export class CrashError extends Error {}

/** An engine whose process dies at one of sync's transactions: before or after its commit. */
export class FaultyEngine implements Engine {
  readonly #inner: Engine
  transactions = 0
  crashAt: number | undefined
  crashPoint: CrashPoint = 'before'
  /** Runs between two transactions of sync. */
  between: () => Promise<void> = async () => {}
  #dead = false

  constructor(inner: Engine) {
    this.#inner = inner
  }

  get identity(): Engine['identity'] {
    return this.#inner.identity
  }

  get feedOn(): boolean {
    return this.#inner.feedOn
  }

  /** A process that crashed lets go of nothing, and its successor asks nobody. */
  claim(_letGo: () => boolean): () => void {
    return () => {}
  }

  entityOf(...args: Parameters<Engine['entityOf']>): unknown {
    return this.#inner.entityOf(...args)
  }

  assertDefined(collection: string): void {
    this.#inner.assertDefined(collection)
  }

  open(): Promise<void> {
    this.#assertAlive()
    return this.#inner.open()
  }

  get systemCollections(): readonly string[] {
    return this.#inner.systemCollections
  }

  get feedAfter(): number {
    return this.#inner.feedAfter
  }

  feedHead(): Promise<number> {
    this.#assertAlive()
    return this.#inner.feedHead()
  }

  readFeed(options: Parameters<Engine['readFeed']>[0]): Promise<readonly FeedRow[]> {
    this.#assertAlive()
    return this.#inner.readFeed(options)
  }

  onCommit(listener: (commit: Commit) => void): () => void {
    return this.#inner.onCommit((commit) => {
      if (!this.#dead) listener(commit)
    })
  }

  snapshot(): EngineSnapshot {
    this.#assertAlive()
    return this.#inner.snapshot()
  }

  async transaction<R>(run: (tx: EngineTransaction) => Promise<R>): Promise<R> {
    this.#assertAlive()
    await this.between()
    const crashes = this.transactions === this.crashAt
    this.transactions += 1
    const result = await this.#inner.transaction(async (tx) => {
      const value = await run(tx)
      if (crashes && this.crashPoint === 'before') this.#die()
      return value
    })
    if (crashes) this.#die()
    return result
  }

  #die(): never {
    this.#dead = true
    throw new CrashError('crashed')
  }

  #assertAlive(): void {
    if (this.#dead) throw new CrashError('dead')
  }
}
