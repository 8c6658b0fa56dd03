/**
 * Answers one by one, fetched in batches. Written out, because a step of an async generator takes twice as long:
 * most of a full scan would be that.
 */

/** Where the answers come from, opened at the first step and released at the end. */
export interface AnswerSource<T> {
  /** The next ones; empty at the end. */
  next(): Promise<readonly T[]>
  release(): void
}

const DONE = { done: true, value: undefined } as const

export class AnswerStream<T> implements AsyncIterableIterator<T, void, undefined> {
  #open: (() => AnswerSource<T>) | undefined
  #source: AnswerSource<T> | undefined
  #batch: readonly T[] = []
  #given = 0
  /** Steps that wait; one that is asked for meanwhile comes after them. */
  #waiting: Promise<unknown> | undefined

  constructor(open: () => AnswerSource<T>) {
    this.#open = open
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, void>> {
    if (this.#waiting !== undefined || this.#given === this.#batch.length) {
      return this.#inTurn(() => this.#fetch())
    }
    // Within bounds.
    return Promise.resolve({ done: false, value: this.#batch[this.#given++] as T })
  }

  return(): Promise<IteratorResult<T, void>> {
    return this.#inTurn(async () => this.#end())
  }

  #inTurn(step: () => Promise<IteratorResult<T, void>>): Promise<IteratorResult<T, void>> {
    const result = this.#waiting === undefined ? step() : this.#waiting.then(step)
    const settled = result.then(
      () => {},
      () => {},
    )
    const waiting = settled.then(() => {
      if (this.#waiting === waiting) this.#waiting = undefined
    })
    this.#waiting = waiting
    return result
  }

  async #fetch(): Promise<IteratorResult<T, void>> {
    if (this.#given === this.#batch.length) {
      try {
        this.#source ??= this.#open?.()
        this.#batch = (await this.#source?.next()) ?? []
        this.#given = 0
      } catch (error) {
        this.#end()
        throw error
      }
      if (this.#batch.length === 0) return this.#end()
    }
    // Within bounds.
    return { done: false, value: this.#batch[this.#given++] as T }
  }

  #end(): IteratorResult<T, void> {
    this.#open = undefined
    this.#source?.release()
    this.#source = undefined
    this.#batch = []
    this.#given = 0
    return DONE
  }
}
