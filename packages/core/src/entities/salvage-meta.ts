/** What a salvaged database knows of itself is made to fit what was found: no opId is ever given twice. */
import type { KeyValueStore } from '../store/key-value-store.ts'
import { readFeedHead, removeFeedEntries } from './feed-reader.ts'
import { FEED_TABLE, opIdOfKey } from './feed-row.ts'
import type { FeedSetting } from './feed-state.ts'
import { META_KEYS, readMeta, writeMeta } from './meta.ts'
import type { SalvagedContent } from './salvage-content.ts'
import type { LossList } from './salvage-report.ts'
import { runSteps, type Steps, wait } from './steps.ts'

const FEED_BATCH = 5000

type Transaction = Awaited<ReturnType<KeyValueStore['begin']>>

export async function repairMeta(
  store: KeyValueStore,
  content: SalvagedContent,
  losses: LossList,
): Promise<void> {
  const after = await inTransaction(store, (tx) => repair(tx, content, losses))
  if (after === undefined) return
  for (let last = 1; last > 0; ) {
    last = await inTransaction(store, (tx) => removeFeedEntries(tx, after, FEED_BATCH))
  }
}

/** Answers up to where the feed has holes; undefined when it has none. */
function* repair(
  tx: Transaction,
  content: SalvagedContent,
  losses: LossList,
): Steps<number | undefined> {
  if ((yield* readMeta(tx, META_KEYS.identity)) === undefined) {
    const message = 'the identity of the database is lost: it gets a new one when it is opened'
    losses.add({ code: 'corrupt', message })
  }
  // A number, written by `EntityWriter.finish`.
  const stored = ((yield* readMeta(tx, META_KEYS.lastOpId)) as number | undefined) ?? 0
  const head = yield* readFeedHead(tx)
  const lastOpId = Math.max(stored, content.lastOpId, head)
  if (lastOpId > stored) yield* writeMeta(tx, META_KEYS.lastOpId, lastOpId)
  return yield* repairFeed(tx, content.feedHole, lastOpId, losses)
}

function* repairFeed(
  tx: Transaction,
  hole: number,
  lastOpId: number,
  losses: LossList,
): Steps<number | undefined> {
  // Written by `openFeed` or `EntityWriter.finish`.
  const setting = (yield* readMeta(tx, META_KEYS.feed)) as FeedSetting | undefined
  const { keys } = yield* wait(tx.scan(FEED_TABLE, {}).next(1))
  const [first] = keys
  // Without operations and a setting it was off.
  if (setting === undefined && first === undefined) return undefined
  const from = first === undefined ? lastOpId : opIdOfKey(first) - 1
  const after = Math.max(setting?.after ?? from, hole)
  if (setting?.after === after) return undefined
  yield* writeMeta(tx, META_KEYS.feed, { after })
  if (after === from) return undefined
  const message = `the change feed has holes: operations up to ${after} are no longer in it`
  losses.add({ code: 'corrupt', message })
  return after
}

async function inTransaction<T>(
  store: KeyValueStore,
  task: (tx: Transaction) => Steps<T>,
): Promise<T> {
  const tx = await store.begin()
  try {
    const result = await runSteps(task(tx))
    await tx.commit()
    return result
  } catch (error) {
    tx.rollback()
    throw error
  }
}
