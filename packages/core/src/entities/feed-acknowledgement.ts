/** Registered readers of the change feed: how far each has come, and what nobody needs any more. */

import type { Reader } from '../store/key-value-store.ts'
import type { EntityWriter } from './entity-writer.ts'
import { removeFeedEntries } from './feed-reader.ts'
import { deleteMeta, READER_PREFIX, readMeta, readMetaEntries, writeMeta } from './meta.ts'
import type { Steps } from './steps.ts'

/** Operations that one acknowledgement removes at most. */
const REMOVED_PER_CALL = 4096

/**
 * `reader` needs no operation up to `opId` any more, nor any of the origin `ignores`. The first call registers
 * it and turns the feed on.
 */
export function* acknowledgeFeed(
  writer: EntityWriter,
  reader: string,
  opId: number,
  ignores: string | undefined,
): Steps<void> {
  writer.beginStep()
  yield* writeMeta(writer.tx, READER_PREFIX + reader, opId)
  // Numbers, written by the line before.
  const readers = (yield* readMetaEntries(writer.tx, READER_PREFIX)) as ReadonlyMap<string, number>
  const through = Math.min(...readers.values(), writer.core.feed.followedThrough)
  const removed = yield* removeFeedEntries(writer.tx, through, REMOVED_PER_CALL)
  const { on, after } = writer.feedSetting
  writer.setFeed({
    on: true,
    after: on ? Math.max(after, removed) : writer.lastKnownOpId,
    // Any other reader needs everything.
    ignoredOrigin: readers.size === 1 ? ignores : undefined,
  })
  writer.end()
}

/** `reader` is no more. The feed stays on until the next open. */
export function* removeFeedReader(writer: EntityWriter, reader: string): Steps<void> {
  writer.beginStep()
  writer.setFeed({ ...writer.feedSetting, ignoredOrigin: undefined })
  yield* deleteMeta(writer.tx, READER_PREFIX + reader)
  writer.end()
}

/** What `reader` acknowledged last; undefined when it is not registered. */
export function* acknowledgedBy(view: Reader, reader: string): Steps<number | undefined> {
  // A number, written by `acknowledgeFeed`.
  return (yield* readMeta(view, READER_PREFIX + reader)) as number | undefined
}
