/** The choices of one run, so that every other sequence of choices can be tried. */
import type { Random } from '@entidb/core/conformance'

/** Which one, of so many options, of which the last `faults` are faults. */
export type Chooser = (options: number, faults: number) => number

interface Taken {
  readonly choice: number
  readonly options: number
  readonly share: number
}

/** Behind a fault there are fewer runs than where it is still to come. */
const FAULT_SHARE = 0.1

export class Choices {
  readonly #prefix: readonly number[]
  readonly #beyond: Chooser
  readonly #taken: Taken[] = []

  /** The first choices; behind them `beyond` decides: the first option, if it is left out. */
  constructor(prefix: readonly number[] = [], beyond: Chooser = () => 0) {
    this.#prefix = prefix
    this.#beyond = beyond
  }

  /** By chance, each as often as its share. */
  static drawnBy(random: Random): Choices {
    return new Choices([], (options, faults) => {
      const others = options - faults
      const at = random.next() * (others + faults * FAULT_SHARE)
      return Math.floor(at < others ? at : others + (at - others) / FAULT_SHARE)
    })
  }

  /** Of so many options, of which the last `faults` are faults, which one. Where there is only one, nothing is chosen. */
  choose(options: number, faults = 0): number {
    if (options === 1) return 0
    const choice = this.#prefix[this.#taken.length] ?? this.#beyond(options, faults)
    if (choice >= options) throw new RangeError(`choice ${choice} of ${options} options`)
    const others = options - faults
    const share = (choice < others ? 1 : FAULT_SHARE) / (others + faults * FAULT_SHARE)
    this.#taken.push({ choice, options, share })
    return choice
  }

  /** What was chosen. */
  get taken(): readonly number[] {
    return this.#taken.map(({ choice }) => choice)
  }

  /** A guess which part of all runs this one is. Those of all runs add up to 1. */
  get share(): number {
    return this.#taken.reduce((product, { share }) => product * share, 1)
  }

  /**
   * What turns off this run behind its prefix: with these, what turns off theirs, and so on, every run that begins with
   * the prefix comes up once. The last of them is the next, depth first.
   */
  branches(): (readonly number[])[] {
    const { taken } = this
    return this.#taken.flatMap(({ choice, options }, at) => {
      if (at < this.#prefix.length) return []
      const others = Array.from({ length: options - 1 - choice }, (_, i) => options - 1 - i)
      return others.map((other) => [...taken.slice(0, at), other])
    })
  }
}
