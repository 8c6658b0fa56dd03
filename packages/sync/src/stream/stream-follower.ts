/**
 * Follows the server's stream of wake-ups. It only ever wakes: losing it loses nothing, and the slow
 * poll covers its absence.
 */

import { isEntiDBError } from '@entidb/core'
import { STREAM_EVENT } from '@entidb/protocol'
import { Backoff } from '../backoff.ts'
import type { ByteStream, Timers } from '../environment.ts'
import { SseParser } from './sse-parser.ts'

export interface StreamFollowerOptions {
  readonly open: (signal: AbortSignal) => Promise<ByteStream>
  readonly timers: Timers
  readonly random: () => number
  readonly onOpen: () => void
  /** The head that the server named. */
  readonly onHead: (head: number) => void
  /** Of what was opened. */
  readonly onEnd: () => void
}

/** A server sends something at least every 15 s; silence for longer means the connection is dead. */
const SILENCE_MS_MAX = 45_000
const RETRY_MS_MIN = 1_000
const RETRY_MS_CAP = 5 * 60_000
/** What ends sooner did not work: something in between lets no stream through, or the server takes none. */
const LASTING_MS_MIN = 5_000

export class StreamFollower {
  readonly #options: StreamFollowerOptions
  readonly #backoff: Backoff
  #abort: AbortController | undefined
  #following: Promise<void> = Promise.resolve()
  #endPause: () => void = () => {}

  constructor(options: StreamFollowerOptions) {
    this.#options = options
    const { random } = options
    this.#backoff = new Backoff({ baseMs: RETRY_MS_MIN, capMs: RETRY_MS_CAP, random })
  }

  start(): void {
    if (this.#abort !== undefined) return
    this.#backoff.reset()
    const abort = new AbortController()
    this.#abort = abort
    this.#following = this.#follow(abort.signal)
  }

  async stop(): Promise<void> {
    this.#abort?.abort()
    this.#abort = undefined
    await this.#following
  }

  /** The network is back: no reason to wait any longer. */
  online(): void {
    this.#backoff.reset()
    this.#endPause()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let askedMs = 0
      try {
        await this.#read(signal, () => this.#backoff.reset())
      } catch (error) {
        // The cycles meet the same server, and say what is wrong with it.
        askedMs = retryAfterMsOf(error)
      }
      await this.#pause(Math.max(RETRY_MS_MIN, this.#backoff.next(askedMs)), signal)
    }
  }

  /** `onLasting`: it sent something, and has lasted for a while. */
  async #read(outer: AbortSignal, onLasting: () => void): Promise<void> {
    const silence = new AbortController()
    const end = (): void => silence.abort()
    outer.addEventListener('abort', end)
    const { timers } = this.#options
    let cancelTimer = timers.after(SILENCE_MS_MAX, end)
    let cancelLasting = (): void => {}
    try {
      const reader = (await this.#options.open(silence.signal)).getReader()
      this.#options.onOpen()
      let hasSent = false
      let isOld = false
      cancelLasting = timers.after(LASTING_MS_MIN, () => {
        isOld = true
        if (hasSent) onLasting()
      })
      silence.signal.addEventListener('abort', () => void reader.cancel().catch(() => {}))
      const parser = new SseParser()
      while (!silence.signal.aborted) {
        const { done, value } = await reader.read()
        if (done || value === undefined) return
        cancelTimer()
        cancelTimer = timers.after(SILENCE_MS_MAX, end)
        hasSent = true
        // What is in between may have kept the first bytes for longer.
        if (isOld) onLasting()
        for (const { event, data } of parser.push(value)) this.#heard(event, data)
      }
    } finally {
      cancelTimer()
      cancelLasting()
      outer.removeEventListener('abort', end)
      silence.abort()
      this.#options.onEnd()
    }
  }

  #heard(event: string, data: string): void {
    if (event === STREAM_EVENT && /^\d{1,16}$/.test(data)) this.#options.onHead(Number(data))
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const end = (): void => {
        cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      this.#endPause = end
      const cancel = this.#options.timers.after(delayMs, end)
      signal.addEventListener('abort', end)
    })
  }
}

function retryAfterMsOf(error: unknown): number {
  const asked = isEntiDBError(error) ? error.details.retryAfterMs : undefined
  return typeof asked === 'number' ? asked : 0
}
