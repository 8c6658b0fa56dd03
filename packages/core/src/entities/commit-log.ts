/**
 * The counters of a running database: opIds, and which transactions have written something that is not
 * visible yet. Tells listeners of commits once they are durable, in order.
 */
import { reportUncaught } from './report-uncaught.ts'

/** A transaction that is durable now. */
export interface CommittedTransaction {
  /** The highest opId of the transaction. */
  readonly lastOpId: number
  /** `local` when it named none. */
  readonly origin: string
  readonly transactionId: number
}

/** Told of each transaction, once it is durable. */
export type CommitListener = (commit: CommittedTransaction) => void

export class CommitLog {
  /** Never goes back, not even when a transaction is rolled back: an opId names one write for ever. */
  #lastOpId: number
  #writesOpen = 0
  #generation = 0
  readonly #listeners = new Set<CommitListener>()

  constructor(lastOpId: number) {
    this.#lastOpId = lastOpId
  }

  get lastOpId(): number {
    return this.#lastOpId
  }

  /** The first of `count` opIds in a row. */
  allocateOpIds(count: number): number {
    const first = this.#lastOpId + 1
    this.#lastOpId += count
    return first
  }

  /** Counts the transactions that wrote something. */
  get generation(): number {
    return this.#generation
  }

  /** Nothing was written that is not visible yet. */
  get isQuiet(): boolean {
    return this.#writesOpen === 0
  }

  /** A transaction writes for the first time. */
  openWrites(): void {
    this.#writesOpen++
    this.#generation++
  }

  /** What it wrote is visible, or gone. */
  closeWrites(): void {
    this.#writesOpen--
  }

  onCommit(listener: CommitListener): () => void {
    // Wrapped, so that one function added twice is two listeners.
    const own: CommitListener = (commit) => listener(commit)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  /** A listener that throws stops neither the others nor the commit. */
  announce(commit: CommittedTransaction): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(commit)
      } catch (error) {
        reportUncaught(error)
      }
    }
  }
}
