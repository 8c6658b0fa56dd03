/** Bytes on their way to a client: the part of a `ReadableStream` that the client uses. */
import type { ByteStream } from '@entidb/sync'

interface Result {
  readonly done: boolean
  readonly value?: Uint8Array | undefined
}

interface Waiting {
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

export class SimulatedStream implements ByteStream {
  readonly #chunks: Uint8Array[] = []
  readonly #onCancel: () => void
  #end: { readonly error: unknown } | 'ended' | undefined
  #waiting: Waiting | undefined

  constructor(onCancel: () => void = () => {}) {
    this.#onCancel = onCancel
  }

  /** A body that is there as a whole; `error`: it breaks off behind `bytes`. */
  static of(bytes: Uint8Array, error?: unknown): SimulatedStream {
    const stream = new SimulatedStream()
    stream.push(bytes)
    if (error === undefined) stream.close()
    else stream.fail(error)
    return stream
  }

  push(chunk: Uint8Array): void {
    if (this.#end !== undefined) return
    const waiting = this.#takeWaiting()
    if (waiting === undefined) this.#chunks.push(chunk)
    else waiting.resolve({ done: false, value: chunk })
  }

  close(): void {
    this.#end ??= 'ended'
    this.#takeWaiting()?.resolve({ done: true })
  }

  fail(error: unknown): void {
    this.#end ??= { error }
    this.#takeWaiting()?.reject(error)
  }

  getReader(): ReturnType<ByteStream['getReader']> {
    return { read: () => this.#read(), cancel: () => this.cancel() }
  }

  async cancel(): Promise<void> {
    this.#chunks.length = 0
    this.close()
    this.#onCancel()
  }

  #read(): Promise<Result> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk })
    if (this.#end === 'ended') return Promise.resolve({ done: true })
    if (this.#end !== undefined) return Promise.reject(this.#end.error)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #takeWaiting(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}
