/** The body of an answer as a stream to read: what has arrived is taken at once, and waits are for the next piece. */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { ByteStream } from '../environment.ts'

/** So much may lie here unread before the connection is told to wait. */
const UNREAD_BYTES_MAX = 1024 * 1024

type Piece = Awaited<ReturnType<ReturnType<ByteStream['getReader']>['read']>>

interface Waiting {
  readonly resolve: (piece: Piece) => void
  readonly reject: (reason: unknown) => void
}

const END: Piece = { done: true }

export class IncomingBody implements ByteStream {
  readonly #incoming: IncomingMessage
  readonly #decoded: Readable
  readonly #unread: Uint8Array[] = []
  #unreadBytes = 0
  #hasEnded = false
  #error: unknown
  #waiting: Waiting | undefined

  /** `decoded`: `incoming` itself, or what it is piped into. */
  constructor(incoming: IncomingMessage, decoded: Readable) {
    this.#incoming = incoming
    this.#decoded = decoded
    const fail = (error: unknown): void => this.#fail(error)
    decoded.on('data', (piece: Uint8Array) => this.#arrived(piece))
    decoded.on('end', () => this.#end())
    decoded.on('error', fail)
    incoming.on('error', fail)
    incoming.on('close', () => {
      if (!incoming.complete) fail(new TypeError('The connection ended within the answer'))
    })
  }

  getReader(): ReturnType<ByteStream['getReader']> {
    return { read: () => this.#read(), cancel: () => this.cancel() }
  }

  /** Nobody reads on. The connection goes with it, unless all had arrived. */
  async cancel(): Promise<void> {
    this.#end()
    this.#unread.length = 0
    this.#letGo()
  }

  #read(): Promise<Piece> {
    const value = this.#unread.shift()
    if (value !== undefined) {
      this.#unreadBytes -= value.length
      if (this.#unread.length === 0) this.#decoded.resume()
      return Promise.resolve({ done: false, value })
    }
    if (this.#hasEnded) return Promise.resolve(END)
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #arrived(value: Uint8Array): void {
    const waiting = this.#taken()
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value })
      return
    }
    this.#unread.push(value)
    this.#unreadBytes += value.length
    if (this.#unreadBytes > UNREAD_BYTES_MAX) this.#decoded.pause()
  }

  #end(): void {
    if (this.#error !== undefined) return
    this.#hasEnded = true
    this.#taken()?.resolve(END)
  }

  #fail(error: unknown): void {
    if (this.#hasEnded || this.#error !== undefined) return
    this.#error = error
    this.#letGo()
    this.#taken()?.reject(error)
  }

  /** Both: what a decoder refuses would go on waiting for one. */
  #letGo(): void {
    this.#incoming.destroy()
    this.#decoded.destroy()
  }

  #taken(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}
