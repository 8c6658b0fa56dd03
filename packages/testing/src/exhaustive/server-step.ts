/**
 * What the server does next, as far as its order matters. Two steps commute when neither writes anything on the server
 * and they are of different devices: whichever comes first, both answers and what the server holds are the same. Of orders
 * that differ by that alone one is enough (sleep sets; P. Godefroid, 1996): a step that was tried before another
 * one at some point sleeps behind that other one, until something happens that does not commute with it.
 */
export interface ServerStep {
  /** The same for the same step of a run. */
  readonly name: string
  /** Whose it is: a device's, or the server's own. */
  readonly actor: string
  readonly writes: boolean
  /** The server loses power, or its files. What it only reads after a power loss it answers as before: until it writes, nobody notices. */
  readonly isFault: boolean
  readonly take: () => void | Promise<void>
}

export class SleepingSteps {
  #steps: readonly ServerStep[] = []

  has({ name }: ServerStep): boolean {
    return this.#steps.some((each) => each.name === name)
  }

  /** `step` happens, and `before` come before it in the order in which they are tried. */
  happens(step: ServerStep, before: readonly ServerStep[]): void {
    this.#steps = [...this.#steps, ...before].filter((each) => commute(each, step))
  }
}

function commute(a: ServerStep, b: ServerStep): boolean {
  return !a.writes && !b.writes && a.actor !== b.actor && !(a.isFault && b.isFault)
}
