/** Waiting that ends when the user wants to stop. */
import type { Readable } from 'node:stream'

/** Settles like `work`, or rejects with the signal's reason as soon as it is aborted. */
export async function orStop<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  const stopped = stopOf(stop)
  try {
    return await Promise.race([work, stopped.promise])
  } finally {
    stopped.release()
    // The loser of the race may still fail, when what it uses is closed; nobody waits for it then.
    work.catch(() => {})
  }
}

/** What the stream holds; fails with the signal's reason as soon as it is aborted, also while nothing comes. */
export async function* piecesUntil(
  stream: Readable,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await orStop(pieces.next(), stop)
      if (done) return
      yield value
    }
  } finally {
    // One that is waited for would keep the process alive.
    stream.destroy()
  }
}

/** Resolves when the signal is aborted. */
export function aborted(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}

function stopOf(stop: AbortSignal): { promise: Promise<never>; release(): void } {
  let onAbort = (): void => {}
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(stop.reason)
    if (stop.aborted) onAbort()
    else stop.addEventListener('abort', onAbort, { once: true })
  })
  promise.catch(() => {})
  return { promise, release: () => stop.removeEventListener('abort', onAbort) }
}
