/**
 * The body of a request, as a web stream or as Node's server hands it over. To make the web stream of a small request, with
 * the Request around it, takes longer than to answer it.
 */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'

/** A body that is still to come. It is read once, or not at all. */
export interface RequestBody {
  /** Resolves at the end, or when cancelled. Rejects when the body breaks off, and with what `take` throws. */
  read(take: (chunk: Uint8Array) => void): Promise<void>
  /** Ends a read under way. */
  cancel(): void
  /**
   * Reads and forgets what still comes: a connection closed with bytes unread is reset, and the client may never see the
   * answer. Bounded: who goes on sending is cut off by the listener.
   */
  discard(): void
}

const DISCARDED_BYTES_MAX = 64 * 1024 * 1024

export class WebBody implements RequestBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader()
  }

  async read(take: (chunk: Uint8Array) => void): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read()
      if (done) return
      take(value)
    }
  }

  cancel(): void {
    void this.#reader.cancel()
  }

  discard(): void {
    this.#discard().catch(() => {
      // The connection is gone: nothing is left to discard.
    })
  }

  async #discard(): Promise<void> {
    for (let bytes = 0; bytes <= DISCARDED_BYTES_MAX; ) {
      const { done, value } = await this.#reader.read()
      if (done) return
      bytes += value.length
    }
  }
}

export class IncomingBody implements RequestBody {
  readonly #incoming: IncomingMessage | Http2ServerRequest
  #end: () => void = () => {}

  constructor(incoming: IncomingMessage | Http2ServerRequest) {
    this.#incoming = incoming
  }

  read(take: (chunk: Uint8Array) => void): Promise<void> {
    const incoming = this.#incoming
    return new Promise((resolve, reject) => {
      const listeners = {
        data: (chunk: Uint8Array) => {
          try {
            take(chunk)
          } catch (error) {
            end(error)
          }
        },
        end: () => end(incoming.aborted ? brokeOff() : undefined),
        error: (error: unknown) => end(error),
        close: () => end(brokeOff()),
      }
      const end = (error?: unknown): void => {
        for (const [event, listener] of Object.entries(listeners)) incoming.off(event, listener)
        if (error === undefined) resolve()
        else reject(error)
      }
      this.#end = end
      // It tells nobody who comes too late.
      if (incoming.destroyed) return reject(brokeOff())
      for (const [event, listener] of Object.entries(listeners)) incoming.on(event, listener)
    })
  }

  cancel(): void {
    this.#end()
  }

  discard(): void {
    this.#incoming.resume()
  }
}

function brokeOff(): Error {
  return new Error('The connection ended within the body')
}
