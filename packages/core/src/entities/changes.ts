/** `db.changes`: the change feed as an endless iteration that can be taken up again at any opId. */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { Reader } from '../store/key-value-store.ts'
import { databaseClosed } from '../store/store-errors.ts'
import type { DatabaseCore } from './database-core.ts'
import { changeFeedOff } from './entity-errors.ts'
import { readFeedEntries, readFeedHead, toOperation } from './feed-reader.ts'
import type { DbOperation } from './operation.ts'
import { runSteps, type Steps } from './steps.ts'

/** Where `db.changes` begins and when it ends. */
export interface ChangesOptions {
  /** Operations with a higher opId than this. Default: from the start of what the feed holds. */
  readonly after?: number
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal
  /** False: ends at what was the head when it began. Default: waits for more. */
  readonly wait?: boolean
}

const BATCH = { opsMax: 256, bytesMax: 1024 * 1024 } as const

/** `start` tells the opId behind which it begins. */
export function iterateChanges(
  core: DatabaseCore,
  start: () => number | Promise<number>,
  options: Omit<ChangesOptions, 'after'>,
  closing: AbortSignal,
): AsyncGenerator<DbOperation, void, undefined> {
  const leaving = new AbortController()
  const steps = takeSteps(core, start, options, [closing, leaving.signal])
  // Else a step that waits would hold up the end of the iteration until the next commit.
  for (const end of ['return', 'throw'] as const) {
    const later = steps[end].bind(steps)
    steps[end] = (reason) => {
      leaving.abort()
      return later(reason)
    }
  }
  return steps
}

async function* takeSteps(
  core: DatabaseCore,
  start: () => number | Promise<number>,
  { signal, wait = true }: Omit<ChangesOptions, 'after'>,
  [closing, leaving]: readonly [AbortSignal, AbortSignal],
): AsyncGenerator<DbOperation, void, undefined> {
  const after = await start()
  const isOver = () => signal?.aborted === true || leaving.aborted
  if (!Number.isSafeInteger(after) || after < 0) throw new TypeError('after is an opId, from 0')
  if (!core.feed.on) throw changeFeedOff()
  const iteration = core.feed.follow(after)
  const news = new News(core)
  try {
    await core.feed.settled()
    if (after > 0 && after < core.feed.after) throw feedTrimmed(after, core.feed.after)
    const end = wait ? Infinity : await readAt(core, (view) => readFeedHead(view))
    for (;;) {
      const seen = news.count
      const through = Math.min(end, Number.MAX_SAFE_INTEGER)
      const range = { after: iteration.position, through }
      const entries = await readAt(core, (view) => readFeedEntries(view, range, BATCH))
      for (const entry of entries) {
        if (isOver()) return
        iteration.position = entry.opId
        const operation = toOperation(entry, core.identity)
        // A property of its own, so that a copy of the operation has it too.
        yield { ...operation, payload: operation.payload }
      }
      if (isOver() || (!wait && entries.length === 0)) return
      if (closing.aborted) throw databaseClosed()
      if (entries.length === 0) await news.after(seen, signal, closing, leaving)
    }
  } finally {
    news.stop()
    core.feed.unfollow(iteration)
  }
}

async function readAt<T>(core: DatabaseCore, task: (view: Reader) => Steps<T>): Promise<T> {
  const view = core.store.snapshot()
  try {
    return await runSteps(task(view))
  } finally {
    view.release()
  }
}

/** Counts commits, so that none is missed between reading and waiting. */
class News {
  count = 0
  readonly stop: () => void
  #wake: (() => void) | undefined

  constructor(core: DatabaseCore) {
    this.stop = core.commits.onCommit(() => {
      this.count++
      this.#wake?.()
    })
  }

  /** Resolves when there was a commit after the count `seen`, or one of the signals is given. */
  async after(seen: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
    if (this.count !== seen || signals.some((signal) => signal?.aborted)) return
    await new Promise<void>((resolve) => {
      const wake = () => {
        for (const signal of signals) signal?.removeEventListener('abort', wake)
        this.#wake = undefined
        resolve()
      }
      this.#wake = wake
      for (const signal of signals) signal?.addEventListener('abort', wake)
    })
  }
}

function feedTrimmed(after: number, firstAfter: number): EntiDBError {
  return new EntiDBError(
    'change_feed_off',
    `The change feed begins after operation ${firstAfter}; what followed ${after} is not in it any more. Start over from the entities.`,
    { details: { after, firstAfter } },
  )
}
