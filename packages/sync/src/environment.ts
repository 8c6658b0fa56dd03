/**
 * Everything that differs between places to run: time, timers, randomness, the network and news of
 * being online. Injected, so that the logic is deterministic; nothing here is touched at import.
 */

/** What the client asks of `fetch`. */
export interface FetchInit {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer>
  readonly signal: AbortSignal
  readonly redirect: 'error'
  readonly cache: 'no-store'
  readonly credentials: 'omit'
}

/** What is used of a `ReadableStream` of bytes, whichever of its several typings it comes with. */
export interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
    cancel(): Promise<void>
  }
  cancel(): Promise<void>
}

/** What is used of a `Response`. */
export interface FetchResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: ByteStream | null
}

/** The `fetch` of the platform, `nodeFetch`, or a server's own handler. */
export type FetchLike = (url: string, init: FetchInit) => Promise<FetchResponse>

/** Timers, for tests. The answer of `after` ends the timer. */
export interface Timers {
  /** Returns a function that cancels. `Infinity` is never. */
  after(delayMs: number, run: () => void): () => void
}

/** Time, timers, randomness and network, for tests. */
export interface Environment {
  readonly fetch: FetchLike
  readonly timers: Timers
  /** Wall clock in milliseconds, for people only. */
  readonly now: () => number
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number
  /** Random text for a new deviceId. */
  readonly randomId: () => string
  /** Calls back whenever the platform says it came online. Returns a function that ends it. */
  readonly onOnline: (listener: () => void) => () => void
  /** Resolves when the host has had its turn: what was asked of it has begun, and events were delivered. */
  readonly turn: () => Promise<void>
}

export function defaultEnvironment(): Environment {
  return {
    fetch: (url, init) => globalThis.fetch(url, init),
    timers: { after: timeoutAfter },
    now: () => Date.now(),
    random: () => Math.random(),
    randomId: () => globalThis.crypto.randomUUID(),
    onOnline,
    turn,
  }
}

/** A host's timer that is to wait for longer runs at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

function timeoutAfter(delayMs: number, run: () => void): () => void {
  let cancel = (): void => {}
  const wait = (restMs: number): void => {
    const partMs = Math.min(restMs, TIMEOUT_MS_MAX)
    const end = (): void => (restMs > partMs ? wait(restMs - partMs) : run())
    const timer: unknown = setTimeout(end, partMs)
    cancel = () => clearTimeout(timer as ReturnType<typeof setTimeout>) // opaque: a number or Node's object
  }
  wait(delayMs)
  return () => cancel()
}

function onOnline(listener: () => void): () => void {
  if (typeof globalThis.addEventListener !== 'function') return () => {}
  globalThis.addEventListener('online', listener)
  return () => globalThis.removeEventListener('online', listener)
}

function turn(): Promise<void> {
  // Node's; a browser has none.
  const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown }
  return new Promise((resolve) => {
    if (setImmediate !== undefined) setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
