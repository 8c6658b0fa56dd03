/** A list that is read again whenever something changed, for whoever shows it. */

import { isEntiDBError } from '@entidb/core'
import { rethrowLater } from './rethrow-later.ts'

/** Told of the items whenever they are others than before. */
export type ListListener<T> = (items: readonly T[]) => void

/** Stays right until it is closed. Items are read when somebody looks, not before. */
export class LiveList<T> {
  readonly #read: () => Promise<readonly T[]>
  readonly #identityOf: (item: T) => string
  readonly #listeners = new Set<ListListener<T>>()
  readonly #endListening: () => void
  #items: readonly T[] = []
  #shown: string | undefined
  #isReading = false
  #isStale = true
  #isClosed = false

  /** @internal Items of equal identity are the same. */
  constructor(
    read: () => Promise<readonly T[]>,
    onChange: (listener: () => void) => () => void,
    identityOf: (item: T) => string,
  ) {
    this.#read = read
    this.#identityOf = identityOf
    this.#endListening = onChange(() => this.#changed())
    this.#changed()
  }

  /** The items as they were read last; the same array until they are others. Empty before the first reading. */
  getSnapshot(): readonly T[] {
    return this.#items
  }

  /** Calls back whenever the items are others, the first time once they are read. Returns what ends it. */
  subscribe(listener: ListListener<T>): () => void {
    // Wrapped, so that one function added twice is two listeners.
    const own: ListListener<T> = (items) => listener(items)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#endListening()
    this.#listeners.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #changed(): void {
    this.#isStale = true
    if (!this.#isReading) void this.#refresh()
  }

  async #refresh(): Promise<void> {
    this.#isReading = true
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false
      try {
        this.#show(await this.#read())
      } catch (error) {
        // A database that closes or failed says so to whoever uses it; the list stays as it was.
        if (!isEntiDBError(error)) rethrowLater(error)
      }
    }
    this.#isReading = false
  }

  #show(items: readonly T[]): void {
    const shown = items.map(this.#identityOf).join('\n')
    if (this.#isClosed || shown === this.#shown) return
    this.#shown = shown
    this.#items = items
    for (const listener of [...this.#listeners]) {
      try {
        listener(items)
      } catch (error) {
        rethrowLater(error)
      }
    }
  }
}
