/**
 * The stream that wakes clients up: the head on connect and after each commit, coalesced. A reader that
 * does not read holds one event, not a queue of them. Written as a plain `ReadableStream`: headers of a connection
 * (`Transfer-Encoding`, `Connection`) have no place in HTTP/2.
 */
import { STREAM_EVENT } from '@entidb/protocol'
import type { Timers } from '../timers.ts'

export const EVENT_STREAM_TYPE = 'text/event-stream'

export interface EventStreamOptions {
  /** Head at the time of connecting. */
  readonly head: number
  /** Subscribes to later heads, and to their end; the answer unsubscribes. */
  readonly subscribe: (listener: { onHead(head: number): void; onEnd(): void }) => () => void
  /** Milliseconds from now; undefined: no end. */
  readonly lifetimeMs: number | undefined
  readonly timers: Timers
  readonly onEnd: () => void
}

const HEARTBEAT_MS = 15_000
const RETRY_MS = 1_000

const encoder = new TextEncoder()

/** An open stream; `end()` closes it from the server's side. */
export class EventStream {
  readonly body: ReadableStream<Uint8Array>
  readonly #options: EventStreamOptions
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #head: number
  #sentHead = -1
  #stopListening: () => void = () => {}
  #stopHeartbeat: () => void = () => {}
  #stopLifetime: () => void = () => {}

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#head = options.head
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => this.#start(controller),
      pull: () => this.#flush(),
      cancel: () => this.#release(),
    })
  }

  end(): void {
    const controller = this.#controller
    if (controller === undefined) return
    this.#release()
    controller.close()
  }

  #start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller
    this.#sentHead = this.#head
    this.#send(`retry: ${RETRY_MS}\n\n${cursorEvent(this.#head)}`)
    this.#stopListening = this.#options.subscribe({
      onHead: (head) => {
        this.#head = Math.max(this.#head, head)
        this.#flush()
      },
      onEnd: () => this.end(),
    })
    this.#expireIn(this.#options.lifetimeMs)
  }

  /** Sends the newest head, unless the reader has still to take what was sent before. */
  #flush(): void {
    if (this.#head <= this.#sentHead || !this.#hasRoom()) return
    this.#sentHead = this.#head
    this.#send(cursorEvent(this.#head))
  }

  #send(text: string): void {
    this.#controller?.enqueue(encoder.encode(text))
    this.#beatLater()
  }

  #beatLater(): void {
    this.#stopHeartbeat()
    this.#stopHeartbeat = this.#options.timers.set(() => {
      if (this.#hasRoom()) this.#send(': alive\n\n')
      else this.#beatLater()
    }, HEARTBEAT_MS)
  }

  #expireIn(ms: number | undefined): void {
    if (ms === undefined) return
    this.#stopLifetime = this.#options.timers.set(() => this.end(), Math.max(ms, 0))
  }

  #hasRoom(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0
  }

  #release(): void {
    if (this.#controller === undefined) return
    this.#controller = undefined
    this.#stopListening()
    this.#stopHeartbeat()
    this.#stopLifetime()
    this.#options.onEnd()
  }
}

function cursorEvent(head: number): string {
  return `event: ${STREAM_EVENT}\nid: ${head}\ndata: ${head}\n\n`
}
