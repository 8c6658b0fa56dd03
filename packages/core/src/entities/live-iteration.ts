/**
 * `for await` over a live query. For a reader that is slow no list is kept of what it missed: it remembers the
 * result it was given last, and its next step is what became of that since.
 */
import type { Entity } from './collection-definition.ts'
import { changesBetween, type LiveChange, type LiveChanges } from './live-changes.ts'

/** The live query as its iterations see it. */
export interface LiveReading<T extends Entity> {
  /** Undefined while there is no result yet. Throws why the live query failed, if it did. */
  items(): readonly Readonly<T>[] | undefined
  isOpen(): boolean
  /** The iteration will hear of a failure. */
  join(iteration: object): void
  leave(iteration: object): void
  /** Calls `wake` once, at the next change, failure or end; the answer calls it off. */
  onNews(wake: () => void): () => void
}

const DONE = { done: true, value: undefined } as const

export class LiveIteration<T extends Entity>
  implements AsyncIterableIterator<LiveChange<T>, void, undefined>
{
  readonly #reading: LiveReading<T>
  #given: readonly Readonly<T>[] | undefined
  #isOver = false
  /** The step that was asked for last: the next one comes after it. */
  #lastStep: Promise<unknown> = Promise.resolve()
  /** Ends the waiting of a step. */
  #wake: (() => void) | undefined

  constructor(reading: LiveReading<T>) {
    this.#reading = reading
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<LiveChange<T>, void>> {
    const step = this.#lastStep.then(() => this.#step())
    this.#lastStep = step.catch(() => {})
    return step
  }

  /** Ends this iteration, also a step that waits; the live query stays open. */
  async return(): Promise<IteratorResult<LiveChange<T>, void>> {
    return this.#end()
  }

  async #step(): Promise<IteratorResult<LiveChange<T>, void>> {
    while (!this.#isOver) {
      this.#reading.join(this)
      const change = this.#nextChange()
      if (!this.#reading.isOpen()) break
      if (change !== undefined) return { done: false, value: change }
      await this.#news()
    }
    return this.#end()
  }

  #nextChange(): LiveChange<T> | undefined {
    const given = this.#given
    const items = this.#items()
    if (items === undefined || items === given) return undefined
    this.#given = items
    if (given === undefined) return { items, changes: allAdded(items) }
    const changes = changesBetween(given, items)
    // It may have become another result and the same again.
    return changes === undefined ? undefined : { items, changes }
  }

  #items(): readonly Readonly<T>[] | undefined {
    try {
      return this.#reading.items()
    } catch (error) {
      this.#end()
      throw error
    }
  }

  #end(): IteratorResult<LiveChange<T>, void> {
    this.#isOver = true
    this.#given = undefined
    this.#reading.leave(this)
    this.#wake?.()
    return DONE
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      const callOff = this.#reading.onNews(resolve)
      this.#wake = () => {
        callOff()
        resolve()
      }
    })
    this.#wake = undefined
  }
}

/** The first result, as what became of none. */
export function allAdded<T extends Entity>(items: readonly Readonly<T>[]): LiveChanges<T> {
  const added = items.map((entity, index) => ({ entity, index }))
  return { added, removed: [], changed: [], moved: [] }
}
