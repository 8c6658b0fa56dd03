// The threads of `npm run sim`.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Lets `use` work with each of so many threads: what it is given sends one message, and answers with the next one back. */
export async function forEachThread(script, count, use) {
  const threads = Array.from({ length: count }, () => new Worker(new URL(script, import.meta.url)))
  const uses = threads.map((thread) =>
    use(async (message) => {
      const answer = once(thread, 'message')
      thread.postMessage(message)
      const [result] = await answer
      return result
    }),
  )
  try {
    await Promise.all(uses)
  } finally {
    for (const thread of threads) await thread.terminate()
  }
}
