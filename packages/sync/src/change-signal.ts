/** Says that something of what sync stores may have changed, and not what. */
export class ChangeSignal {
  readonly #listeners = new Set<() => void>()

  /** Returns a function that ends it. */
  readonly on = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  give(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
