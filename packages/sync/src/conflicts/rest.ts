/** The pause after a conflict whose resolver lost every race: the others may be done by then. */
import type { Timers } from '../environment.ts'

const REST_MS = 5_000

export class Rest {
  readonly #timers: Timers
  readonly #onOver: () => void
  #isOn = false

  constructor(timers: Timers, onOver: () => void) {
    this.#timers = timers
    this.#onOver = onOver
  }

  get isOn(): boolean {
    return this.#isOn
  }

  /** One that is on already is not made longer. Ends with `signal`, too. */
  begin(signal: AbortSignal): void {
    if (this.#isOn || signal.aborted) return
    this.#isOn = true
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      this.#isOn = false
    }
    const cancel = this.#timers.after(REST_MS, () => {
      end()
      this.#onOver()
    })
    signal.addEventListener('abort', end)
  }
}
