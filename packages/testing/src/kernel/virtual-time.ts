/**
 * Time that passes only when something is due. Everything that happens is an event of one queue, ordered by
 * time and then by the order in which it was asked for. After each event everything that waits for nothing but
 * promises runs to its end, so that the order of events decides all.
 */
interface Event {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

export class VirtualTime {
  readonly #queue: Event[] = []
  #order = 0
  #nowMs = 0
  #sleptMs = 0
  /** How many there were. */
  events = 0

  /** Milliseconds since the beginning of the run. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** What clocks on walls say: they go on while everything sleeps. */
  get wallMs(): number {
    return this.#nowMs + this.#sleptMs
  }

  /** Everything sleeps for so long: nothing happens, and nothing is due the sooner. */
  sleep(ms: number): void {
    this.#sleptMs += ms
  }

  /** Runs it after `delayMs`; the answer prevents it. */
  after(delayMs: number, run: () => void): () => void {
    const atMs = this.#nowMs + Math.max(0, delayMs)
    const event: Event = { atMs, order: this.#order++, run }
    push(this.#queue, event)
    return () => {
      event.run = undefined
    }
  }

  /** The next event and all that follows from it at once. False: there is none until `untilMs`. */
  async step(untilMs: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    for (;;) {
      const next = this.#queue[0]
      if (next === undefined || next.atMs > untilMs) return false
      pop(this.#queue)
      const { run } = next
      if (run === undefined) continue
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.events++
      run()
      await settle()
      return true
    }
  }
}

/** Everything that waits for promises alone has run: the host turns to timers only when none of it is left. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Awaits what may wait for nothing but promises: else the run would stand still without a word. */
export async function atOnce(work: Promise<void>, what: string): Promise<void> {
  const late = settle().then(() => true)
  if ((await Promise.race([work, late])) === true) throw new Error(`${what} does not end`)
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

/** A binary heap, the next event first. */
function push(heap: Event[], event: Event): void {
  let index = heap.length
  heap.push(event)
  while (index > 0) {
    const above = (index - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || !isBefore(event, parent)) break
    heap[index] = parent
    index = above
  }
  heap[index] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let index = 0
  for (;;) {
    const below = smallerChild(heap, index)
    const child = heap[below]
    if (child === undefined || !isBefore(child, last)) break
    heap[index] = child
    index = below
  }
  heap[index] = last
}

function smallerChild(heap: readonly Event[], index: number): number {
  const left = 2 * index + 1
  const [a, b] = [heap[left], heap[left + 1]]
  return a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left
}
