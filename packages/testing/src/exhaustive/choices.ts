/** The choices of one run, so that every other sequence of choices can be tried: depth first. */
export class Choices {
  readonly #prefix: readonly number[]
  readonly #taken: { readonly choice: number; readonly options: number }[] = []

  /** The first choices; from then on the first option is taken. */
  constructor(prefix: readonly number[] = []) {
    this.#prefix = prefix
  }

  /** Of so many options, which one. */
  choose(options: number): number {
    const choice = this.#prefix[this.#taken.length] ?? 0
    this.#taken.push({ choice, options })
    return choice
  }

  /** What was chosen. */
  get taken(): readonly number[] {
    return this.#taken.map(({ choice }) => choice)
  }

  /** The choices to try next; undefined: there is nothing left to try. */
  next(): readonly number[] | undefined {
    const last = this.#taken.findLastIndex(({ choice, options }) => choice + 1 < options)
    const turning = this.#taken[last]
    if (turning === undefined) return undefined
    return [...this.taken.slice(0, last), turning.choice + 1]
  }
}
