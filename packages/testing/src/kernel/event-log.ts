/** What happened in a run, a line for each event: the same for the same plan, byte for byte. */
export class EventLog {
  readonly lines: string[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** `who` did `what`, now. */
  write(who: string, what: string): void {
    const seconds = (this.#nowMs() / 1000).toFixed(3).padStart(9)
    this.lines.push(`${seconds} ${who.padEnd(9)} ${what}`)
  }
}
