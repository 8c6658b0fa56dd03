/** What each subject has at a time of something, counted: each has the same limit. */
export class SubjectSlots {
  readonly #slotsMax: number
  readonly #countBySubject = new Map<string, number>()

  constructor(slotsMax: number) {
    this.#slotsMax = slotsMax
  }

  /** Returns what gives the slot back, once; undefined when the subject has as many as it may. */
  take(subject: string): (() => void) | undefined {
    const count = this.#countBySubject.get(subject) ?? 0
    if (count >= this.#slotsMax) return undefined
    this.#countBySubject.set(subject, count + 1)
    let held = true
    return () => {
      if (held) this.#giveBack(subject)
      held = false
    }
  }

  #giveBack(subject: string): void {
    const left = (this.#countBySubject.get(subject) ?? 1) - 1
    if (left === 0) this.#countBySubject.delete(subject)
    else this.#countBySubject.set(subject, left)
  }
}
