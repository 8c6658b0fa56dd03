/** A stream of Server-Sent Events, read event by event. */
import { RuleFailure } from './expectations.ts'
import type { WireStream } from './wire.ts'

export interface StreamEvent {
  readonly event: string
  readonly id: string
  readonly data: string
}

export class EventStream {
  /** As the server said; undefined before it did. */
  retry: string | undefined
  readonly #stream: WireStream
  readonly #eventMsMax: number

  /** `eventMsMax`: how long an event may take to arrive. */
  constructor(stream: WireStream, eventMsMax: number) {
    this.#stream = stream
    this.#eventMsMax = eventMsMax
  }

  /** The next event; comments are passed over. */
  async next(): Promise<StreamEvent> {
    const fields = new Map<string, string>()
    // Of the whole event: heartbeats may come meanwhile.
    const deadlineMs = performance.now() + this.#eventMsMax
    for (;;) {
      const line = await this.#stream.nextLine(Math.max(0, deadlineMs - performance.now()))
      if (line === undefined) throw new RuleFailure('an event', 'the end, or silence')
      if (line === '' && fields.has('data')) return eventOf(fields)
      const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
      if (name === 'retry') this.retry = value
      else if (name !== '') fields.set(name, value)
    }
  }

  /** The head that the next event names. */
  async nextHead(): Promise<number> {
    const { data } = await this.next()
    return Number(data)
  }

  /** Reads on until an event names `head`: several commits may share one. */
  async until(head: number): Promise<void> {
    for (let seen = await this.nextHead(); seen !== head; seen = await this.nextHead()) {
      if (seen > head) throw new RuleFailure(`an event with the head ${head}`, String(seen))
    }
  }

  /** Is there no line, but perhaps a comment, for so long? */
  async isQuietFor(ms: number): Promise<boolean> {
    const line = await this.#stream.nextLine(ms)
    return line === undefined || line === '' || line.startsWith(':')
  }

  /** The next line that is not empty, of any kind; undefined when none came in time. */
  async nextLine(waitMs: number): Promise<string | undefined> {
    for (;;) {
      const line = await this.#stream.nextLine(waitMs)
      if (line !== '') return line
    }
  }

  close(): void {
    this.#stream.close()
  }
}

function eventOf(fields: ReadonlyMap<string, string>): StreamEvent {
  const [event = '', id = '', data = ''] = ['event', 'id', 'data'].map((name) => fields.get(name))
  return { event, id, data }
}
